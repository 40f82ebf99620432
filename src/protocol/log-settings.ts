import { invalidInput, NimifyError } from '../base/errors/nimify-error.ts';
import type { Logger, LogLevel } from '../base/telemetry/log.ts';

/** Triton's log settings (server repository, docs/protocol/extension_logging.md), which do not know levels. */
export interface LogSettings {
  readonly log_file: string;
  readonly log_info: boolean;
  readonly log_warning: boolean;
  readonly log_error: boolean;
  /** 0: no debugging lines. */
  readonly log_verbose_level: number;
  readonly log_format: string;
}

type Value = string | number | boolean;

/** Switches that must be on at each level, the quietest first: each includes those before it. */
const SWITCHES = ['log_error', 'log_warning', 'log_info', 'log_verbose_level'] as const;
const LEVELS: readonly LogLevel[] = ['silent', 'error', 'warn', 'info', 'debug'];

/** @throws NimifyError UNSUPPORTED where the level is the host program's affair */
export function readLogSettings(log: Logger): LogSettings {
  if (log.level === undefined) {
    throw new NimifyError(
      'UNSUPPORTED',
      'the log of this server belongs to the program around it; ask there',
    );
  }
  const depth = LEVELS.indexOf(log.level);
  return {
    log_file: '',
    log_error: depth >= 1,
    log_warning: depth >= 2,
    log_info: depth >= 3,
    log_verbose_level: depth >= 4 ? 1 : 0,
    log_format: 'ISO8601',
  };
}

/**
 * Sets the level that the settings amount to, those that are not named staying as they are.
 * @throws NimifyError INVALID_INPUT, UNSUPPORTED; nothing has changed then
 */
export function changeLogSettings(log: Logger, changes: Readonly<Record<string, Value>>): LogSettings {
  const before = readLogSettings(log);
  const known = new Set(Object.keys(before));
  for (const [name, value] of Object.entries(changes)) {
    const current = known.has(name) ? before[name as keyof LogSettings] : undefined;
    if (current === undefined || typeof value !== typeof current) {
      throw invalidInput(
        `settings.${name}: expected ${current === undefined ? `one of ${[...known].join(', ')}` : `a ${typeof current}`}, got ${JSON.stringify(value)}`,
        { where: `settings.${name}` },
      );
    }
    if (typeof value === 'string' && value !== current) {
      throw new NimifyError(
        'UNSUPPORTED',
        `settings.${name}: expected '${current}', got another; the log goes to stderr, with ISO 8601 times, whatever is asked for`,
        { details: { where: `settings.${name}`, expected: current } },
      );
    }
  }
  const after = { ...before, ...changes } as LogSettings;
  const depth = SWITCHES.filter((name) => Boolean(after[name])).length;
  if (!SWITCHES.slice(0, depth).every((name) => Boolean(after[name]))) {
    throw invalidInput(
      'settings: expected every louder kind to be on with the quieter ones (log_verbose_level, log_info, log_warning, log_error), got a gap',
      { where: 'settings' },
    );
  }
  log.level = LEVELS[depth] as LogLevel;
  return readLogSettings(log);
}

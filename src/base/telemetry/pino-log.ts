import { createRequire } from 'node:module';
import type { Logger as PinoLogger } from 'pino';
import type { LogFields, Logger } from './log.ts';
import { plainFields } from './loggable.ts';
import { formatPrettyLine } from './pretty-line.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogSink {
  /** Takes one whole line, newline included. */
  write(line: string): void;
}

export interface PinoLogOptions {
  /** Lowest level that is written. Default `info`. */
  readonly level?: LogLevel;
  /** Lines for people instead of JSON. Default: when stderr is a terminal. */
  readonly pretty?: boolean;
  /** Default: stderr, so that stdout stays free for results; written asynchronously, flushed at exit. */
  readonly sink?: LogSink;
}

/**
 * A logger on pino. One JSON object a line with `level`, `time` (ISO 8601), the fields and `msg`. `err` is
 * written with all its causes; secrets are left out (see `toLoggable`).
 */
export function createPinoLogger(options: PinoLogOptions = {}): Logger {
  const lowest = LOG_LEVELS.indexOf(options.level ?? 'info');
  let made: PinoLogger | undefined;

  function write(level: Exclude<LogLevel, 'silent'>, fields: LogFields, message: string): void {
    if (LOG_LEVELS.indexOf(level) < lowest) return;
    made ??= openPino(options);
    made[level](plainFields(fields), message);
  }

  return {
    debug: (fields, message) => write('debug', fields, message),
    info: (fields, message) => write('info', fields, message),
    warn: (fields, message) => write('warn', fields, message),
    error: (fields, message) => write('error', fields, message),
  };
}

/** With the first line that is written, not before: pino takes as long to load as a small model. */
function openPino({
  level = 'info',
  pretty = process.stderr.isTTY === true,
  sink,
}: PinoLogOptions): PinoLogger {
  const { pino } = createRequire(import.meta.url)('pino') as typeof import('pino');
  const destination = sink ?? pino.destination({ dest: 2, sync: false });
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // `err` arrives as plain fields; pino's own serializer would take it for an error without a stack.
      serializers: { err: (fields: unknown) => fields },
    },
    pretty ? prettySink(destination) : destination,
  );
}

function prettySink(sink: LogSink): LogSink {
  const { NO_COLOR } = process.env;
  const coloured = process.stderr.isTTY === true && (NO_COLOR === undefined || NO_COLOR === '');
  return { write: (line) => sink.write(formatPrettyLine(line, coloured)) };
}

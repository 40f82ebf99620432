import type { Config } from '../../base/config/load-config.ts';
import { leavesOf } from '../../base/config/option.ts';
import { SERVER_OPTIONS } from '../../base/config/options.ts';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { Logger } from '../../base/telemetry/log.ts';

export interface ConfigWatch {
  /**
   * Reads the configuration again.
   * @returns with what makes it the one that holds
   * @throws NimifyError CONFIG_INVALID: it is wrong, or differs in what cannot be changed while the server runs
   */
  read(): Promise<{ readonly config: Config; apply(): void }>;
}

/** Settings of the server as a whole that can be changed while it runs; those of models can all. */
const CHANGEABLE: ReadonlySet<string> = new Set(['log.level']);

export function watchConfig(
  first: Config,
  options: {
    readonly log: Logger;
    readonly read: () => Promise<Config>;
    /** Called when another holds. */
    readonly onChanged: (config: Config) => void;
  },
): ConfigWatch {
  const { log, read, onChanged } = options;
  let current = first;
  return {
    async read() {
      const config = await read();
      refuseFixed(current, config);
      return {
        config,
        apply() {
          if (config.log.level !== current.log.level) log.level = config.log.level;
          current = config;
          onChanged(config);
        },
      };
    },
  };
}

/** @throws NimifyError CONFIG_INVALID with all that would want another start */
function refuseFixed(before: Config, after: Config): void {
  const changed = leavesOf(SERVER_OPTIONS)
    .filter(({ path, keys }) => !CHANGEABLE.has(path) && valueAt(before, keys) !== valueAt(after, keys))
    .map(({ path }) => path);
  if (changed.length === 0) return;
  throw new NimifyError(
    'CONFIG_INVALID',
    `${changed.join(', ')}: cannot be changed while the server runs; restart it, or take the change back`,
    { details: { where: changed[0]!, expected: 'what it was at the start' } },
  );
}

function valueAt(config: Config, keys: readonly string[]): string | undefined {
  let value: unknown = config;
  for (const key of keys) value = (value as Readonly<Record<string, unknown>>)[key];
  return JSON.stringify(value);
}

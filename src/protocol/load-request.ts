import { invalidInput, type NimifyError } from '../base/errors/nimify-error.ts';
import type { LoadRequest } from '../registry/live/contract.ts';

const FILE = 'file:';

/**
 * The parameters of a request to load a model: `config`, a configuration in JSON, and `file:<path>`, a file within the
 * model's folder.
 *
 * @param readFile the bytes of a file as the protocol carries them; throws what `misfit` gives where there are none
 * @throws NimifyError INVALID_INPUT: another parameter, or one of another type
 */
export function toLoadRequest<Value>(
  parameters: Iterable<readonly [name: string, value: Value]>,
  readFile: (value: Value, where: string) => Uint8Array,
): LoadRequest {
  const files = new Map<string, Uint8Array>();
  let config: string | undefined;
  for (const [name, value] of parameters) {
    const where = `parameters.${name.slice(0, 64)}`;
    if (name.startsWith(FILE)) files.set(name.slice(FILE.length), readFile(value, where));
    else if (name !== 'config') {
      throw invalidInput(`${where}: expected config or file:<path>, got another parameter; leave it out`, {
        where,
        expected: ['config', 'file:<path>'],
      });
    } else if (typeof value === 'string') config = value;
    else throw misfit(where, 'a model configuration as JSON in a string', shown(value));
  }
  return { ...(config === undefined ? {} : { config }), ...(files.size === 0 ? {} : { files }) };
}

/** A parameter's value for a message: briefly, and bytes only as such. */
export function shown(value: unknown): string {
  return value instanceof Uint8Array ? 'bytes' : String(value).slice(0, 64);
}

/** A parameter that is something else than what was expected. */
export function misfit(where: string, expected: string, got: string): NimifyError {
  return invalidInput(`${where}: expected ${expected}, got ${got}`, { where, expected, got });
}

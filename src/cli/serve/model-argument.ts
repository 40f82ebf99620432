import { existsSync } from 'node:fs';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { ModelSource } from '../../registry/repository.ts';

/**
 * The arguments of `nimify serve`: paths, or `name=path` where the name is to be another than the file's. A path
 * that exists is a path, whatever characters it holds.
 * @throws NimifyError CONFIG_INVALID
 */
export function toModelSources(
  args: readonly string[],
  modelName: string | undefined,
): readonly ModelSource[] {
  const paths = args.length === 0 ? ['.'] : args;
  const [only] = paths;
  if (modelName === undefined || only === undefined) return paths.map(toModelSource);
  if (paths.length === 1) return [{ path: only, name: modelName }];
  throw new NimifyError(
    'CONFIG_INVALID',
    `--model-name names one model, but ${paths.length} paths are given; write name=path for each instead`,
    { details: { where: '--model-name' } },
  );
}

function toModelSource(argument: string): ModelSource {
  const at = argument.indexOf('=');
  const name = argument.slice(0, at);
  if (at <= 0 || name.includes('/') || existsSync(argument)) return argument;
  return { name, path: argument.slice(at + 1) };
}

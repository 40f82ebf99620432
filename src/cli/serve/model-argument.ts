import { existsSync } from 'node:fs';
import type { ModelPath } from '../../base/config/choose-models.ts';

/**
 * An argument of `nimify serve`: a path, or `name=path` where the name is to be another than the file's. A path
 * that exists is a path, whatever characters it holds.
 */
export function toModelPath(argument: string): ModelPath {
  const at = argument.indexOf('=');
  const name = argument.slice(0, at);
  if (at <= 0 || name.includes('/') || existsSync(argument)) return { path: argument };
  return { name, path: argument.slice(at + 1) };
}

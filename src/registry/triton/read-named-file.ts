import { readFile, stat } from 'node:fs/promises';
import { invalidInput } from '../../base/errors/nimify-error.ts';

/**
 * A file that a configuration names.
 * @param field in which it does, for the errors
 * @throws NimifyError INVALID_INPUT where there is no such file, or a larger one
 */
export async function readNamedFile(path: string, field: string, maxBytes: number): Promise<Buffer> {
  const info = await stat(path).catch(() => undefined);
  if (info?.isFile() !== true) {
    throw invalidInput(`${field}: there is no file ${path}; add it, or leave the field out`, {
      where: field,
    });
  }
  if (info.size > maxBytes) {
    throw invalidInput(`${field}: ${path} has ${info.size} bytes; expected at most ${maxBytes}`, {
      where: field,
    });
  }
  return readFile(path);
}

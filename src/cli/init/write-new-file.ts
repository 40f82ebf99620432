import { writeFile } from 'node:fs/promises';
import { NimifyError } from '../../base/errors/nimify-error.ts';

/**
 * Writes a file that was not there, or any with `force`.
 * @throws NimifyError CONFLICT, PERMISSION_DENIED, NOT_FOUND
 */
export async function writeNewFile(
  path: string,
  text: string,
  { force }: { readonly force: boolean },
): Promise<void> {
  try {
    await writeFile(path, text, { flag: force ? 'w' : 'wx' });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    const options = { details: { where: path }, cause };
    if (code === 'EEXIST') {
      throw new NimifyError('CONFLICT', `${path} is there already; --force replaces it`, options);
    }
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
      throw new NimifyError('PERMISSION_DENIED', `${path}: this user may not write there`, options);
    }
    throw new NimifyError(
      'NOT_FOUND',
      `${path} cannot be written (${String(code)}); check the path`,
      options,
    );
  }
}

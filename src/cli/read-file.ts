import { open } from 'node:fs/promises';
import { invalidInput, NimifyError } from '../base/errors/nimify-error.ts';

/** Largest file that is read whole: one tensor of a request cannot be larger. */
const MAX_FILE_BYTES = 2 ** 31;

/** @throws NimifyError NOT_FOUND, PERMISSION_DENIED, INVALID_INPUT (a folder, too large) */
export async function readWholeFile(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path);
    try {
      const { size } = await file.stat();
      if (size > MAX_FILE_BYTES) {
        throw invalidInput(`${path}: ${size} bytes; expected at most ${MAX_FILE_BYTES}`, { where: path });
      }
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (thrown) {
    throw toFileError(thrown, path);
  }
}

/** Everything that is written to standard input until it ends. */
export async function readStandardInput(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

function toFileError(thrown: unknown, path: string): NimifyError {
  if (thrown instanceof NimifyError) return thrown;
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  const options = { details: { where: path }, cause: thrown };
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new NimifyError('NOT_FOUND', `${path}: there is no such file; check the path`, options);
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new NimifyError('PERMISSION_DENIED', `${path}: this user may not read the file`, options);
  }
  if (code === 'EISDIR') return invalidInput(`${path}: this is a folder; name a file in it`, { where: path });
  return new NimifyError('INVALID_INPUT', `${path}: the file cannot be read (${String(code)})`, options);
}

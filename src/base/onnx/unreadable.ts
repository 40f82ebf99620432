import { NimifyError } from '../errors/nimify-error.ts';

/** What to tell of a file that the system does not let us look at or open; `cause` is the system's error. */
export function unreadable(path: string, cause: unknown): NimifyError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  const options = { cause, details: { where: path } };
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new NimifyError('NOT_FOUND', `there is no file at ${path}; check the path`, options);
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new NimifyError(
      'INVALID_INPUT',
      `${path} may not be read by this user; change its permissions`,
      options,
    );
  }
  return new NimifyError('INVALID_INPUT', `${path} cannot be opened; check the path and the disk`, options);
}

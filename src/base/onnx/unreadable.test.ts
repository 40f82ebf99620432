import { describe, expect, it } from 'vitest';
import { unreadable } from './unreadable.ts';

const systemError = (code: string) => Object.assign(new Error(`${code}: native words`), { code });

describe('unreadable', () => {
  it.each([
    ['ENOENT', 'NOT_FOUND', 'there is no file at /models/a.onnx; check the path'],
    ['ENOTDIR', 'NOT_FOUND', 'there is no file at /models/a.onnx; check the path'],
    ['EACCES', 'INVALID_INPUT', '/models/a.onnx may not be read by this user; change its permissions'],
    ['EPERM', 'INVALID_INPUT', '/models/a.onnx may not be read by this user; change its permissions'],
    ['EIO', 'INVALID_INPUT', '/models/a.onnx cannot be opened; check the path and the disk'],
  ])('tells %s as %s', (systemCode, code, message) => {
    const cause = systemError(systemCode);
    const error = unreadable('/models/a.onnx', cause);
    expect(error).toMatchObject({ code, message, details: { where: '/models/a.onnx' } });
    expect(error.cause).toBe(cause);
  });

  it.each([new TypeError('no code'), 'no error', { code: 'ENOENT' }])(
    'says no more than %j does',
    (cause) => {
      expect(unreadable('a.onnx', cause).message).toBe(
        'a.onnx cannot be opened; check the path and the disk',
      );
    },
  );
});

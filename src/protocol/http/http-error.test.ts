import { describe, expect, it } from 'vitest';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import { ERROR_TABLE, type ErrorCode, type ErrorEntry } from '../../base/errors/table.ts';
import { errorReply, toHttpError } from './http-error.ts';

function bodyOf(error: NimifyError): Record<string, unknown> {
  const [chunk] = errorReply(error, 'id-1').chunks;
  return JSON.parse(Buffer.from(chunk ?? []).toString()) as Record<string, unknown>;
}

describe('errorReply', () => {
  it('has the status of the table for every code that HTTP knows', () => {
    for (const [code, entry] of Object.entries(ERROR_TABLE) as [ErrorCode, ErrorEntry][]) {
      expect(errorReply(new NimifyError(code, 'm'), 'id').status).toBe(entry.http ?? 500);
    }
  });

  it('gives message, code, id and details, and keeps the cause', () => {
    const error = new NimifyError('INVALID_INPUT', 'inputs[0].shape: wrong', {
      details: { where: 'inputs[0].shape', got: [1] },
      cause: new Error('native secret'),
    });
    expect(bodyOf(error)).toEqual({
      error: 'inputs[0].shape: wrong',
      code: 'INVALID_INPUT',
      request_id: 'id-1',
      details: { where: 'inputs[0].shape', got: [1] },
    });
  });

  it('writes details that JSON has no form for as text', () => {
    const details = { got: [2n ** 63n, Number.NaN, Number.POSITIVE_INFINITY] };
    expect(bodyOf(new NimifyError('INVALID_INPUT', 'm', { details })).details).toEqual({
      got: ['9223372036854775808', 'NaN', 'Infinity'],
    });
  });

  it.each([
    [1, '1'],
    [1000, '1'],
    [1001, '2'],
    [0, '1'],
  ])('asks to retry after %d ms with %s seconds', (retryAfterMs, seconds) => {
    const reply = errorReply(new NimifyError('OVERLOADED', 'm', { retryAfterMs }), 'id');
    expect(reply.headers['retry-after']).toBe(seconds);
  });

  it('names the allowed methods in Allow', () => {
    const error = new NimifyError('METHOD_NOT_ALLOWED', 'm', { details: { allow: ['GET', 'HEAD'] } });
    expect(errorReply(error, 'id').headers.allow).toBe('GET, HEAD');
  });
});

describe('toHttpError', () => {
  it('hides what is unknown', () => {
    const error = toHttpError(new TypeError('x is not a function'));
    expect(error.code).toBe('INTERNAL');
    expect(error.message).not.toContain('x is not a function');
  });

  it('takes a client error of Fastify for what its status says', () => {
    const thrown = Object.assign(new Error('Unsupported Media Type'), { statusCode: 415 });
    expect(toHttpError(thrown).code).toBe('UNSUPPORTED_MEDIA_TYPE');
    expect(toHttpError(Object.assign(new Error('odd'), { statusCode: 422 })).code).toBe('INVALID_INPUT');
    expect(toHttpError(Object.assign(new Error('bad'), { statusCode: 502 })).code).toBe('INTERNAL');
  });
});

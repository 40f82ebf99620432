import { describe, expect, it } from 'vitest';
import { toResponseError } from './response-error.ts';

const URL = 'http://127.0.0.1:8000/v2/models/m/infer';

function errorOf(status: number, body: string, retryAfter?: string) {
  return toResponseError({ url: URL, status, body: Buffer.from(body), retryAfter });
}

describe('toResponseError', () => {
  it('takes code, message, details and request id from the body', () => {
    const body = {
      error: 'inputs[0].shape: ...',
      code: 'INVALID_INPUT',
      request_id: 'r1',
      details: { where: 'x' },
    };
    expect(errorOf(400, JSON.stringify(body))).toMatchObject({
      code: 'INVALID_INPUT',
      message: 'inputs[0].shape: ...',
      details: { where: 'x', request_id: 'r1', status: 400, url: URL },
    });
  });

  it.each([
    [400, 'INVALID_INPUT'],
    [404, 'NOT_FOUND'],
    [418, 'INVALID_INPUT'],
    [429, 'OVERLOADED'],
    [500, 'ENGINE_FAILED'],
    [503, 'MODEL_NOT_READY'],
    [504, 'DEADLINE_EXCEEDED'],
    [599, 'ENGINE_FAILED'],
  ])('names a code for a bare %i', (status, code) => {
    expect(errorOf(status, '{"error":"no"}')).toMatchObject({ code, message: 'no' });
  });

  it('does not take a code that is none of ours', () => {
    expect(errorOf(400, '{"error":"no","code":"toString"}').code).toBe('INVALID_INPUT');
    expect(errorOf(400, '{"error":"no","code":"SOMETHING"}').code).toBe('INVALID_INPUT');
  });

  it('says what answered where it was no inference server', () => {
    expect(errorOf(502, '<html>bad gateway</html>').message).toContain('answered 502 without');
    expect(errorOf(301, '').message).toContain('redirects elsewhere (301)');
    expect(errorOf(500, '[1]').message).toContain(URL);
  });

  it('reads retry-after in seconds and as a date', () => {
    expect(errorOf(429, '{}', '3').retryAfterMs).toBe(3000);
    expect(errorOf(429, '{}', 'soon').retryAfterMs).toBeUndefined();
    expect(errorOf(429, '{}').retryAfterMs).toBeUndefined();
    expect(errorOf(503, '{}', new Date(0).toUTCString()).retryAfterMs).toBe(0);
  });
});

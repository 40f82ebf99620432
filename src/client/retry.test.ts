import { describe, expect, it } from 'vitest';
import { NimifyError } from '../base/errors/nimify-error.ts';
import { createFakeClock } from '../base/util/fake-clock.ts';
import { DEFAULT_RETRY, delayBeforeRetry, wasNotRun } from './retry.ts';

describe('wasNotRun', () => {
  it.each([
    ['a full queue, over HTTP', 'OVERLOADED', { status: 429 }, true],
    ['a server that loads', 'MODEL_NOT_READY', { status: 503 }, true],
    ['a full queue, over gRPC', 'OVERLOADED', { grpcStatus: 8 }, true],
    ['a server that ends, over gRPC', 'MODEL_NOT_READY', { grpcStatus: 14 }, true],
    ['nobody who listens', 'MODEL_NOT_READY', { got: 'ECONNREFUSED' }, true],
    ['a stream that was not begun with', 'MODEL_NOT_READY', { got: 'REFUSED_STREAM' }, true],
    ['a connection that broke off', 'MODEL_NOT_READY', { got: 'ECONNRESET' }, false],
    ['a host that does not exist', 'MODEL_NOT_READY', { got: 'ENOTFOUND' }, false],
    ["a proxy's 502", 'MODEL_NOT_READY', { status: 502 }, false],
    ['an engine that died of it', 'ENGINE_CRASHED', { status: 503 }, false],
    ['an engine that died of it, over gRPC', 'ENGINE_CRASHED', { grpcStatus: 14 }, false],
    ['a message that is too large', 'PAYLOAD_TOO_LARGE', { grpcStatus: 8 }, false],
    ['a server that says never', 'OVERLOADED', { grpcStatus: 8, mayRetry: false }, false],
    ['a deadline', 'DEADLINE_EXCEEDED', { status: 504 }, false],
    ['a deadline, over gRPC', 'DEADLINE_EXCEEDED', { grpcStatus: 4 }, false],
    ['a fault', 'INTERNAL', { status: 500 }, false],
    [
      "a refusal whose details speak of a server's own peer",
      'INTERNAL',
      { status: 500, got: 'ECONNREFUSED' },
      false,
    ],
    ['nothing that is known', 'INTERNAL', undefined, false],
  ] as const)('%s (%s)', (_, code, details, expected) => {
    expect(wasNotRun(new NimifyError(code, 'x', details === undefined ? {} : { details }))).toBe(expected);
  });
});

describe('delayBeforeRetry', () => {
  const clock = createFakeClock();
  const delays = (error: NimifyError, tried: number) =>
    Array.from({ length: 200 }, () => delayBeforeRetry(error, tried, DEFAULT_RETRY, clock));

  it.each([
    [1, 50, 100],
    [2, 100, 200],
    [4, 400, 800],
    [30, 2500, 5000],
  ])('after attempt %i is from %i to %i ms', (tried, least, most) => {
    const drawn = delays(new NimifyError('OVERLOADED', 'x'), tried);
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(least);
    expect(Math.max(...drawn)).toBeLessThanOrEqual(most);
    expect(new Set(drawn).size).toBeGreaterThan(100);
  });

  it('is never less than the server says', () => {
    const drawn = delays(new NimifyError('OVERLOADED', 'x', { retryAfterMs: 60_000 }), 1);
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(60_000);
    expect(Math.max(...drawn)).toBeLessThanOrEqual(60_100);
  });
});

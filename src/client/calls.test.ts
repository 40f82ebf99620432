import { describe, expect, it } from 'vitest';
import { NimifyError } from '../base/errors/nimify-error.ts';
import { createFakeClock } from '../base/util/fake-clock.ts';
import { type CallTime, createCalls } from './calls.ts';
import type { ClientOptions } from './contract.ts';

const URL = 'http://there';
const CLOCK = createFakeClock();

function setUp(options: Partial<ClientOptions> = {}) {
  const clock = createFakeClock();
  const calls = createCalls({ url: URL, clock, ...options });
  /** Lets everything that is ready run, then moves the time. */
  async function pass(ms: number): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(ms);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { clock, calls, pass };
}

function busy(retryAfterMs?: number): NimifyError {
  return new NimifyError('OVERLOADED', 'the queue is full', {
    details: { status: 429 },
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** An attempt that fails as often as there are errors, then answers. */
function failing(...failures: readonly Error[]) {
  const rest = [...failures];
  const remaining: number[] = [];
  async function attempt(time: CallTime): Promise<string> {
    remaining.push(time.remainingMs());
    const failure = rest.shift();
    if (failure !== undefined) throw failure;
    return 'answer';
  }
  return { attempt, remaining };
}

/** An attempt that never ends by itself; it ends as transports do when they are stopped. */
function hanging(time: CallTime): Promise<never> {
  return new Promise((_resolve, reject) => time.cancel.on(() => reject(new Error('socket closed'))));
}

describe('retries', () => {
  it('come after a drawn part of a wait that doubles, and leave no timer behind', async () => {
    const { clock, calls, pass } = setUp({ retry: { firstDelayMs: 100 } });
    const { attempt, remaining } = failing(busy(), busy());
    const answer = calls.run(attempt, { timeoutMs: 1000 });
    await pass(49);
    expect(remaining).toEqual([1000]);
    await pass(51);
    expect(remaining).toHaveLength(2);
    await pass(99);
    expect(remaining).toHaveLength(2);
    await pass(101);
    expect(await answer).toBe('answer');
    expect(remaining).toHaveLength(3);
    expect(clock.pendingTimers).toBe(0);
  });

  it('obey the server that says when to come again, and come a little later', async () => {
    const { calls, pass } = setUp({ retry: { maxDelayMs: 500 } });
    const { attempt, remaining } = failing(busy(2000));
    const answer = calls.run(attempt);
    await pass(1999);
    expect(remaining).toHaveLength(1);
    await pass(101);
    expect(await answer).toBe('answer');
    expect(remaining[1]).toBeLessThanOrEqual(28_000);
  });

  it('are not begun where the deadline leaves no room: the server has said what is wrong', async () => {
    const { clock, calls } = setUp();
    const { attempt, remaining } = failing(busy(2000));
    await expect(calls.run(attempt, { timeoutMs: 2000 })).rejects.toMatchObject({
      code: 'OVERLOADED',
      retryAfterMs: 2000,
    });
    expect(remaining).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it.each([
    [{ attempts: 1 }, 1],
    [{ attempts: 2 }, 2],
    [{}, 3],
  ])('end after %j', async (retry, expected) => {
    const { calls, pass } = setUp({ retry });
    const { attempt, remaining } = failing(...Array.from({ length: 9 }, () => busy()));
    const call = expect(calls.run(attempt)).rejects.toMatchObject({ code: 'OVERLOADED' });
    for (let turn = 0; turn < 5; turn += 1) await pass(5000);
    await call;
    expect(remaining).toHaveLength(expected);
  });

  it('are not made of health checks, nor of what may have run', async () => {
    const { calls } = setUp();
    const once = failing(busy());
    await expect(calls.run(once.attempt, {}, 'once')).rejects.toThrow('the queue is full');
    const broken = failing(new NimifyError('MODEL_NOT_READY', 'gone', { details: { got: 'ECONNRESET' } }));
    await expect(calls.run(broken.attempt)).rejects.toThrow('gone');
    const fault = failing(new TypeError('a fault'));
    await expect(calls.run(fault.attempt)).rejects.toThrow('a fault');
    expect([once, broken, fault].map(({ remaining }) => remaining.length)).toEqual([1, 1, 1]);
  });

  it('stop when the client is closed, and no call begins then', async () => {
    const { calls, pass } = setUp();
    const { attempt, remaining } = failing(busy(100), busy(100));
    const call = expect(calls.run(attempt)).rejects.toThrow('the queue is full');
    await pass(0);
    calls.close();
    await pass(1000);
    await call;
    expect(remaining).toHaveLength(1);
    await expect(calls.run(attempt)).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});

describe('the end of a call', () => {
  it('is its deadline, whatever the transport makes of it', async () => {
    const { clock, calls, pass } = setUp({ timeoutMs: 50 });
    const call = expect(calls.run(hanging)).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      message: expect.stringContaining('within 50 ms'),
    });
    await pass(50);
    await call;
    expect(clock.pendingTimers).toBe(0);
  });

  it('is the caller who leaves: before, during an attempt, and between two', async () => {
    const { clock, calls, pass } = setUp();
    const { attempt, remaining } = failing(busy(1000));
    await expect(calls.run(attempt, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'CANCELLED',
    });
    expect(remaining).toHaveLength(0);
    for (const work of [hanging, attempt]) {
      const abort = new AbortController();
      const call = expect(calls.run(work, { signal: abort.signal })).rejects.toMatchObject({
        code: 'CANCELLED',
      });
      await pass(1);
      abort.abort();
      await call;
    }
    expect(remaining).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });
});

it.each([
  [{ timeoutMs: 0 }],
  [{ timeoutMs: Number.NaN }],
  [{ timeoutMs: Number.POSITIVE_INFINITY }],
  [{ retry: { attempts: 0 } }],
  [{ retry: { attempts: 1.5 } }],
])('refuses %j', (options) => {
  expect(() => createCalls({ url: URL, clock: CLOCK, ...options })).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID' }),
  );
});

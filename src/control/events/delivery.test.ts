import { beforeEach, describe, expect, it } from 'vitest';
import { createFakeClock, type FakeClock } from '../../base/util/fake-clock.ts';
import { passTime } from '../../base/util/fake-time.ts';
import { createDelivery, type Delivery } from './delivery.ts';
import type { Posted } from './post-json.ts';

const DOWN: Posted = { reason: 'ECONNREFUSED', mayRetry: true };

let clock: FakeClock;
let sent: string[];
let taken: string[];
let givenUp: string[];
/** What the receiver says, one after the other; then it takes everything. */
let answers: Posted[];
let delivery: Delivery;

beforeEach(() => {
  clock = createFakeClock();
  [sent, taken, givenUp, answers] = [[], [], [], []];
  delivery = createDelivery({
    clock,
    async send({ id }, signal) {
      sent.push(id);
      return signal.aborted ? DOWN : (answers.shift() ?? 'taken');
    },
    onTaken: ({ id }) => taken.push(id),
    onGivenUp: ({ id }, reason) => givenUp.push(`${id}: ${reason}`),
  });
});

function push(...ids: readonly string[]): void {
  for (const id of ids) delivery.push({ id, body: '{}' });
}

async function settled(count: number): Promise<void> {
  while (taken.length + givenUp.length < count) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(1000);
  }
}

describe('a delivery', () => {
  it('sends one at a time in their order, and again what was not taken', async () => {
    answers = [DOWN, { reason: 'it answered 503', mayRetry: true }];
    push('a', 'b', 'c');
    await settled(3);
    expect(sent).toEqual(['a', 'a', 'a', 'b', 'c']);
    expect(taken).toEqual(['a', 'b', 'c']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('gives up what is refused for good at once, and anything at the eighth time', async () => {
    answers = [{ reason: 'it answered 400', mayRetry: false }, ...Array<Posted>(8).fill(DOWN)];
    push('a', 'b', 'c');
    await settled(3);
    expect(givenUp).toEqual(['a: it answered 400', 'b: ECONNREFUSED']);
    expect(sent).toEqual(['a', ...Array(8).fill('b'), 'c']);
    expect(clock.nowNs() / 1e6).toBeLessThan(140_000);
  });

  it('waits as long as it was asked to', async () => {
    answers = [{ reason: 'it answered 429', mayRetry: true, retryAfterMs: 20_000 }];
    push('a');
    await settled(1);
    expect(clock.nowNs() / 1e6).toBeGreaterThanOrEqual(20_000);
  });

  it('keeps the newest where too many wait', async () => {
    answers = Array<Posted>(8).fill(DOWN);
    push(...Array.from({ length: 300 }, (_, index) => String(index)));
    expect(givenUp).toHaveLength(300 - 256 - 1);
    expect(givenUp[0]).toBe('1: too many were waiting');
    await settled(300);
    expect(taken.at(-1)).toBe('299');
  });

  it('tries what waits once more when it closes', async () => {
    answers = [DOWN, DOWN];
    push('a', 'b', 'c');
    await new Promise((resolve) => setImmediate(resolve));
    await passTime(clock, delivery.close(5000));
    expect(givenUp).toEqual(['a: ECONNREFUSED']);
    expect(taken).toEqual(['b', 'c']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('gives up the rest when the time to close is over', async () => {
    const never = createDelivery({
      clock,
      send: (_letter, signal) =>
        new Promise((resolve) => signal.addEventListener('abort', () => resolve(DOWN))),
      onTaken: () => {},
      onGivenUp: ({ id }, reason) => givenUp.push(`${id}: ${reason}`),
    });
    never.push({ id: 'a', body: '{}' });
    never.push({ id: 'b', body: '{}' });
    await passTime(clock, never.close(100), 10);
    expect(givenUp).toEqual(['a: ECONNREFUSED', 'b: the server ended']);
  });
});

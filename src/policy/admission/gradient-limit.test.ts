import { describe, expect, it } from 'vitest';
import { createSeededRandom } from '../../base/util/seeded-random.ts';
import { createGradientLimit } from './gradient-limit.ts';

interface Phase {
  /** Offered load, of capacity. */
  readonly load: number;
  readonly seconds: number;
}

/** A queue of Poisson arrivals before slots whose runs take `serviceNs` and up to `rows` requests at once. */
function createQueue({
  slots,
  serviceNs,
  rows = 1,
  seed = 3,
}: Record<'slots' | 'serviceNs', number> & { rows?: number; seed?: number }) {
  const random = createSeededRandom(seed);
  const limit = createGradientLimit({ minLimit: () => slots * rows * 2, maxLimit: 1024 });
  const waiting: { readonly atNs: number; readonly among: number }[] = [];
  const running: { endsNs: number; members: { readonly atNs: number; readonly among: number }[] }[] = [];
  let nowNs = 0;
  let inFlight = 0;
  let slower = 1;

  function end(): void {
    const { endsNs, members } = running.shift()!;
    nowNs = endsNs;
    for (const { atNs, among } of members) {
      inFlight--;
      limit.observe(nowNs, nowNs - atNs, among);
    }
    start();
  }

  function start(): void {
    while (running.length < slots && waiting.length > 0) {
      running.push({ endsNs: nowNs + serviceNs * slower, members: waiting.splice(0, rows) });
      running.sort((a, b) => a.endsNs - b.endsNs);
    }
  }

  return {
    limit,
    slowDown: (factor: number) => {
      slower = factor;
    },
    run({ load, seconds }: Phase) {
      const meanNs = serviceNs / (slots * rows) / load;
      const untilNs = nowNs + seconds * 1e9;
      const seen = { offered: 0, refused: 0, least: Number.POSITIVE_INFINITY, most: 0 };
      for (let nextNs = nowNs; nextNs < untilNs; nextNs += -Math.log(1 - random()) * meanNs) {
        while (running.length > 0 && running[0]!.endsNs <= nextNs) end();
        nowNs = nextNs;
        seen.offered++;
        seen.least = Math.min(seen.least, limit.limit);
        seen.most = Math.max(seen.most, limit.limit);
        if (inFlight >= limit.limit) seen.refused++;
        else waiting.push({ atNs: nowNs, among: ++inFlight });
        start();
      }
      return { ...seen, refusedShare: seen.refused / seen.offered };
    },
  };
}

const QUEUES = [
  { slots: 1, serviceNs: 2e6 },
  { slots: 4, serviceNs: 10e6 },
  { slots: 2, serviceNs: 40e6 },
  { slots: 1, serviceNs: 8e6, rows: 16 },
];

describe('createGradientLimit', () => {
  it.each(QUEUES)('does not refuse below capacity: %j', (given) => {
    const queue = createQueue(given);
    for (const load of [0.1, 0.5, 0.8]) {
      expect(queue.run({ load, seconds: 60 }).refusedShare, `at ${load}`).toBeLessThan(0.001);
    }
  });

  it.each(QUEUES)('comes down under overload and stays flat, with every slot busy: %j', (given) => {
    const queue = createQueue(given);
    const minimum = given.slots * (given.rows ?? 1) * 2;
    queue.run({ load: 0.5, seconds: 20 });
    queue.run({ load: 3, seconds: 30 });
    const flat = queue.run({ load: 3, seconds: 60 });
    expect(flat.least).toBeGreaterThanOrEqual(minimum);
    expect(flat.most).toBeLessThanOrEqual(4 * minimum + 8);
    expect(flat.refusedShare).toBeGreaterThan(0.64);
    expect(flat.refusedShare).toBeLessThan(0.69);
  });

  it.each(QUEUES)('opens again after an overload: %j', (given) => {
    const queue = createQueue(given);
    queue.run({ load: 0.5, seconds: 20 });
    queue.run({ load: 3, seconds: 30 });
    queue.run({ load: 0.8, seconds: 20 });
    expect(queue.run({ load: 0.8, seconds: 100 }).refusedShare).toBeLessThan(0.001);
  });

  it('learns that the model became slower for good', () => {
    const queue = createQueue({ slots: 2, serviceNs: 5e6 });
    queue.run({ load: 0.8, seconds: 20 });
    queue.slowDown(4);
    queue.run({ load: 0.2, seconds: 60 });
    expect(queue.run({ load: 0.2, seconds: 60 }).refusedShare).toBeLessThan(0.001);
  });

  it('asks for the minimum anew, and is never above the maximum', () => {
    let minimum = 8;
    const limit = createGradientLimit({ minLimit: () => minimum, maxLimit: 64 });
    expect(limit.limit).toBe(64);
    for (let at = 1; at < 5000; at++) limit.observe(at * 1e7, at < 100 ? 1e6 : 1e9, at < 100 ? 1 : 60);
    expect(limit.limit).toBeLessThan(20);
    minimum = 32;
    expect(limit.limit).toBe(32);
    minimum = 500;
    expect(limit.limit).toBe(64);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMetricsRegistry } from '../base/telemetry/metrics-registry.ts';
import { pollBetween } from './busy-poll.ts';
import { createFakeEventLoop } from './fake-event-loop.ts';

/** Requests that follow each other at the same distance, up to twice the window. */
const run = fc.record({
  requests: fc.integer({ min: 1, max: 600 }),
  gapNs: fc.integer({ min: 0, max: 250_000 }),
});
const pause = fc.record({ requests: fc.constant(1), gapNs: fc.integer({ min: 250_000, max: 3e9 }) });
const TURN_NS = 2000;

const serveAll = (work: readonly { readonly requests: number; readonly gapNs: number }[], wakeNs: number) => {
  const loop = createFakeEventLoop({ turnNs: TURN_NS, wakeNs });
  const metrics = createMetricsRegistry();
  const deps = { clock: loop.clock, metrics, soon: loop.soon };
  const instruments = pollBetween({ begin() {}, end() {} }, deps);
  let hits = 0;
  for (const { requests, gapNs } of work) {
    for (let i = 0; i < requests; i += 1) {
      const { turns } = loop;
      loop.serveAt(instruments, loop.clock.nowNs() + gapNs);
      if (loop.turns > turns && gapNs <= 200_000) hits += 1;
    }
  }
  loop.runOut();
  return { hits, polledNs: loop.turns * TURN_NS, tookNs: loop.clock.nowNs() };
};

describe('pollBetween', () => {
  it('polls in vain for no more than 40 ms, 0.5 % of the time and 20 µs for each request that it caught', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 3, arbitrary: run }, pause), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 0, max: 100_000 }),
        (work, wakeNs) => {
          const { hits, polledNs, tookNs } = serveAll(work, wakeNs);
          // A poll that a request ended lasts the window at most, and a turn more until that is noticed.
          const most = 40e6 + 0.005 * tookNs + hits * (20_000 + 200_000 + TURN_NS) + TURN_NS;
          expect(polledNs).toBeLessThanOrEqual(most);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('polls for next to nothing where requests come by chance, up to five thousand times a second', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.infiniteStream(fc.double({ min: 1e-9, max: 1, noNaN: true })),
        (perSecond, chances) => {
          const loop = createFakeEventLoop({ turnNs: TURN_NS });
          const deps = { clock: loop.clock, metrics: createMetricsRegistry(), soon: loop.soon };
          const instruments = pollBetween({ begin() {}, end() {} }, deps);
          let atNs = 0;
          for (let i = 0; i < 5000; i += 1) {
            atNs -= (Math.log(chances.next().value as number) * 1e9) / perSecond;
            loop.serveAt(instruments, atNs);
          }
          loop.runOut();
          expect(loop.turns * TURN_NS).toBeLessThanOrEqual(40e6 + 0.005 * loop.clock.nowNs());
        },
      ),
      { numRuns: 20 },
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PERIOD_MS, WINDOWS } from './burn-rates.ts';
import { createWindowCounts, STEP_MS } from './window-counts.ts';

/** Steps of the ledger, of ten seconds each, in which so many requests came. */
const history = fc.array(
  fc.record({
    steps: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 300_000 })),
    good: fc.nat({ max: 50 }),
    bad: fc.nat({ max: 50 }),
  }),
  { maxLength: 60 },
);
const LENGTHS = [...Object.values(WINDOWS), PERIOD_MS];
/** The step of the ring that serves windows of this length. */
const stepOf = (windowMs: number) =>
  windowMs <= WINDOWS['1h'] ? STEP_MS : windowMs <= WINDOWS['3d'] ? 300_000 : 3_600_000;

describe('window counts', () => {
  it('hold all of a window, and besides it at most what came in one step before', () => {
    fc.assert(
      fc.property(history, fc.nat({ max: 1e9 }), (all, fromMs) => {
        const counts = createWindowCounts(fromMs);
        const came: { readonly atMs: number; readonly good: number; readonly bad: number }[] = [];
        let nowMs = fromMs;
        for (const { steps, good, bad } of all) {
          nowMs += STEP_MS * steps;
          counts.advance(nowMs);
          for (let index = 0; index < good; index += 1) counts.good();
          for (let index = 0; index < bad; index += 1) counts.bad();
          came.push({ atMs: nowMs, good, bad });
        }
        const since = (windowMs: number) => {
          const within = came.filter(({ atMs }) => atMs > nowMs - windowMs);
          return {
            good: within.reduce((sum, { good }) => sum + good, 0),
            bad: within.reduce((sum, { bad }) => sum + bad, 0),
          };
        };
        for (const windowMs of LENGTHS) {
          const told = counts.sum(windowMs);
          const least = since(windowMs);
          const most = since(windowMs + 2 * stepOf(windowMs));
          for (const kind of ['good', 'bad'] as const) {
            expect(told[kind]).toBeGreaterThanOrEqual(least[kind]);
            expect(told[kind]).toBeLessThanOrEqual(most[kind]);
          }
        }
        expect(counts.total).toEqual(since(Number.POSITIVE_INFINITY));
      }),
    );
  });
});

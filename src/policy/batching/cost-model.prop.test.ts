import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCostModel } from './cost-model.ts';

const run = fc.record({
  shape: fc.integer({ min: 0, max: 3 }),
  rows: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 5000 })),
  ns: fc.oneof(fc.double({ min: 1e3, max: 1e9, noNaN: true }), fc.constantFrom(0, 1, 1e15)),
});

/** A model that saw these runs, whatever they were. */
const models = fc.array(run, { minLength: 1, maxLength: 200 }).map((runs) => {
  const costs = createCostModel();
  for (const { shape, rows, ns } of runs) costs.observe(shape, rows, ns);
  return { costs, shape: runs[0]!.shape };
});

const SIZES = [1, 2, 3, 5, 8, 9, 11, 12, 16, 17, 33, 64, 100, 256, 1000, 4096, 70_000, 200_000];

describe('a cost model', () => {
  it('never falls with rows, and its p99 is never below the typical time', () => {
    fc.assert(
      fc.property(models, ({ costs, shape }) => {
        for (let at = 0; at < SIZES.length; at++) {
          const typicalNs = costs.typicalNs(shape, SIZES[at]!);
          const p99Ns = costs.p99Ns(shape, SIZES[at]!);
          expect(typicalNs).toBeGreaterThan(0);
          expect(Number.isFinite(p99Ns)).toBe(true);
          expect(p99Ns).toBeGreaterThanOrEqual(typicalNs);
          if (at === 0) continue;
          const slack = 1 - 1e-9;
          expect(typicalNs).toBeGreaterThanOrEqual(costs.typicalNs(shape, SIZES[at - 1]!) * slack);
          expect(p99Ns).toBeGreaterThanOrEqual(costs.p99Ns(shape, SIZES[at - 1]!) * slack);
        }
      }),
    );
  });

  it('derives sizes that are within what was asked, and hold what they promise', () => {
    fc.assert(
      fc.property(models, fc.integer({ min: 1, max: 600 }), ({ costs, shape }, most) => {
        const efficient = costs.efficientRows(shape, most);
        expect(Number.isInteger(efficient) && efficient >= 1 && efficient <= most).toBe(true);
        const rate = efficient / costs.typicalNs(shape, efficient);
        expect(rate).toBeGreaterThanOrEqual((0.97 * most) / costs.typicalNs(shape, most));
        const budgetNs = costs.p99Ns(shape, 1 + (most >> 1));
        const largest = costs.largestWithin(shape, budgetNs, most);
        expect(costs.p99Ns(shape, largest)).toBeLessThanOrEqual(budgetNs);
        if (largest < most) expect(costs.p99Ns(shape, largest + 1)).toBeGreaterThan(budgetNs);
      }),
    );
  });

  it('finds fixed and per-row time of any straight line, despite noise', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e7, noNaN: true }),
        fc.double({ min: 1e3, max: 1e6, noNaN: true }),
        fc.infiniteStream(fc.double({ min: 0.95, max: 1.05, noNaN: true })),
        (fixedNs, perRowNs, noise) => {
          const costs = createCostModel();
          const trueNs = (rows: number) => fixedNs + perRowNs * rows;
          for (let at = 0; at < 400; at++) {
            const rows = 2 ** (at % 7);
            costs.observe(0, rows, trueNs(rows) * (noise.next().value ?? 1));
          }
          for (const rows of [1, 3, 12, 50, 128, 256]) {
            expect(Math.abs(costs.typicalNs(0, rows) / trueNs(rows) - 1), `${rows} rows`).toBeLessThan(0.1);
          }
        },
      ),
      { numRuns: 30 },
    );
  });
});

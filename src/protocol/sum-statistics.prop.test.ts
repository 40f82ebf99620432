import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ModelStatistics } from '../registry/statistics.ts';
import { sumStatistics } from './sum-statistics.ts';

const total = fc.record({ count: fc.nat(), ns: fc.nat() });
const compute = { computeInput: total, computeInfer: total, computeOutput: total };
const batches = fc.uniqueArray(fc.record({ rows: fc.integer({ min: 1, max: 8 }), ...compute }), {
  selector: ({ rows }) => rows,
});
const statistics: fc.Arbitrary<ModelStatistics> = fc.record({
  lastInferenceMs: fc.nat(),
  inferenceCount: fc.nat(),
  executionCount: fc.nat(),
  ...{ success: total, fail: total, cancel: total, queue: total },
  ...compute,
  ...{ cacheHit: total, cacheMiss: total },
  batches: batches.map((all) => all.sort((a, b) => a.rows - b.rows)),
});
const model = (name: string, counted: ModelStatistics) => ({
  served: { name, version: '1' },
  statistics: counted,
});

/** All numbers of it, by their places: those of a batch by its rows. */
function numbersOf({ batches: all, ...rest }: ModelStatistics): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  function walk(value: unknown, place: string): void {
    if (typeof value === 'number') places.set(place, value);
    else for (const [name, each] of Object.entries(value as object)) walk(each, `${place}.${name}`);
  }
  walk(rest, '');
  for (const { rows, ...batch } of all) walk(batch, `rows ${rows}`);
  return places;
}

describe('sumStatistics', () => {
  it('adds every number but the time of the last inference, which is the latest', () => {
    fc.assert(
      fc.property(statistics, statistics, (one, other) => {
        const [sum] = sumStatistics([[model('m', one)], [model('m', other)]]);
        const [a, b, both] = [one, other, sum!.statistics].map(numbersOf) as [
          ReadonlyMap<string, number>,
          ReadonlyMap<string, number>,
          ReadonlyMap<string, number>,
        ];
        expect(new Set(both.keys())).toEqual(new Set([...a.keys(), ...b.keys()]));
        for (const [place, value] of both) {
          const [x, y] = [a.get(place) ?? 0, b.get(place) ?? 0];
          expect(value).toBe(place === '.lastInferenceMs' ? Math.max(x, y) : x + y);
        }
        const rows = sum!.statistics.batches.map((batch) => batch.rows);
        expect(rows).toEqual(rows.toSorted((x, y) => x - y));
      }),
    );
  });

  it('keeps the order of the first, and what only another has behind it', () => {
    const [one] = fc.sample(statistics, { numRuns: 1, seed: 1 }) as [ModelStatistics];
    const all = sumStatistics([
      [model('b', one), model('a', one)],
      [model('c', one), model('a', one)],
    ]);
    expect(all.map(({ served }) => served.name)).toEqual(['b', 'a', 'c']);
  });
});

/** The least that must be left out: exact, and below what any scheduler of the simulation comes to. */
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';

const MS = 1e6;
const { fewestLeftOut } = await load('bound');
const { countedOf } = await load('measure');
const { createAffine } = await load('profiles');
const { fixedGrid } = await load('schedulers');
const { simulate } = await load('simulate');
const { holdsBelowCapacity } = await load('verdicts');

const runNs = (rows: number) => (5 + rows) * MS;
const arrivalsMs = (maxLength: number, largestGap: number) =>
  fc
    .array(fc.integer({ min: 0, max: largestGap }), { minLength: 1, maxLength })
    .map((gaps) => gaps.map((_, at) => gaps.slice(0, at + 1).reduce((sum, gap) => sum + gap, 0)));

it('finds what going through every way to serve them finds', () => {
  fc.assert(
    fc.property(
      arrivalsMs(6, 8),
      fc.integer({ min: 4, max: 25 }),
      fc.integer({ min: 1, max: 4 }),
      (timesMs, objectiveMs, mostRows) => {
        const timesNs = Float64Array.from(timesMs, (ms) => ms * MS);
        const how = { objectiveNs: objectiveMs * MS, mostRows, runNs };
        const most = mostServed([...timesNs], how);
        expect(fewestLeftOut(timesNs, { ...how, most: timesNs.length })).toBe(timesNs.length - most);
      },
    ),
    { numRuns: 300 },
  );
});

it('is never above what a scheduler leaves out whose runs take no less', async () => {
  const profile = createAffine({ name: 'small', perRunMs: 5, perRowMs: 1, mostRows: 8 });
  const quickest = (rows: number) => profile.quantileNs(rows, 0);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...fixedGrid(profile)),
      arrivalsMs(80, 5),
      fc.integer({ min: 1, max: 1000 }),
      async ({ create }, timesMs, seed) => {
        const timesNs = Float64Array.from(timesMs, (ms) => ms * MS);
        const objectiveNs = 20 * MS;
        const { requests } = await simulate({ profile, slots: 1, timesNs, objectiveNs, seed }, create);
        const missed = requests.filter(
          ({ state, finishedNs, deadlineNs }: { state: string; finishedNs: number; deadlineNs: number }) =>
            state !== 'answered' || finishedNs > deadlineNs,
        ).length;
        const how = { objectiveNs, mostRows: profile.mostRows, runNs: quickest, most: timesNs.length };
        expect(fewestLeftOut(timesNs, how)).toBeLessThanOrEqual(missed);
      },
    ),
    { numRuns: 100 },
  );
});

it('says when more must be left out than it was to look for', () => {
  const timesNs = Float64Array.of(0, 0, 0, 0);
  const how = { objectiveNs: 6 * MS, mostRows: 4, runNs };
  expect(fewestLeftOut(timesNs, { ...how, most: 3 })).toBe(3);
  expect(fewestLeftOut(timesNs, { ...how, most: 2 })).toBeUndefined();
});

it('tells a bar that cannot be met from one that is missed', () => {
  const of = (ours: number, best: number, mean: number, quickest: number) =>
    holdsBelowCapacity({ ours, best, bounds: { mean, quickest } });
  expect(of(0.001, 0, 0, 0)).toBe('met');
  expect(of(0.02, 0.02, 0.004, 0.002)).toBe('impossible');
  expect(of(0.02, 0.02, 0.004, 0.0005)).toBe('impossible on average');
  expect(of(0.02, 0.02, 0, 0)).toBe('missed by all');
  expect(of(0.02, 0.001, 0, 0)).toBe('missed');
});

it('does not count who came first, nor who came when it was nearly over', () => {
  const timesNs = Float64Array.from({ length: 20 }, (_, at) => at);
  expect(countedOf(timesNs, 5)).toEqual([2, 15]);
  expect(countedOf(timesNs, 1000)).toEqual([2, 12]);
  expect(countedOf(timesNs, Number.POSITIVE_INFINITY)).toEqual([2, 20]);
});

interface How {
  readonly objectiveNs: number;
  readonly mostRows: number;
  readonly runNs: (rows: number) => number;
}

/** Every subset as the next run, whatever the order. */
function mostServed(waiting: readonly number[], how: How, freeNs = 0): number {
  let most = 0;
  for (let chosen = 1; chosen < 1 << waiting.length; chosen += 1) {
    const run = waiting.filter((_, at) => (chosen >> at) % 2 === 1);
    if (run.length > how.mostRows) continue;
    const endsNs = Math.max(freeNs, ...run) + how.runNs(run.length);
    if (endsNs > Math.min(...run) + how.objectiveNs) continue;
    const others = waiting.filter((_, at) => (chosen >> at) % 2 === 0);
    most = Math.max(most, run.length + mostServed(others, how, endsNs));
  }
  return most;
}

function load(name: string) {
  return import(join(import.meta.dirname, '../../bench/simulation', `${name}.mjs`));
}

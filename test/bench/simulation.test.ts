/** What `npm run simulate` rests on: nobody is lost in it, and the rivals do what their descriptions say. */
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const MS = 1e6;

interface Request {
  readonly arrivedNs: number;
  readonly deadlineNs: number;
  readonly state: 'waiting' | 'answered' | 'refused';
  readonly finishedNs: number;
}
interface Bench {
  readonly clock: { nowNs(): number };
  readonly freeSlots: number;
  run(batch: readonly Request[], done?: (ns: number) => void): void;
  answer(request: Request): void;
}
type Create = (bench: Bench) => { arrive(request: Request): void };
interface Outcome {
  readonly requests: readonly Request[];
  readonly batchRows: readonly number[];
}

const { simulate } = await load('simulate');
const { measure, percentile } = await load('measure');
const { bestOf } = await load('trials');
const { createMeasured, createAffine, capacityOf, efficientRowsOf } = await load('profiles');
const { loadArrivals, timesOf } = await load('arrivals');
const { fixedGrid, greedy, rivals, unbatched } = await load('schedulers');
const { createFixed } = await load('rivals/fixed');
const { createTriton } = await load('rivals/triton');
const { createClipper } = await load('rivals/clipper');
const { createBentoml, leastSquares } = await load('rivals/bentoml');
const { createSeededRandom } = await import('../../src/base/util/seeded-random.ts');

/** 10 ms a run and 1 ms a row, always. */
const STEADY = {
  name: 'steady',
  about: '',
  mostRows: 8,
  quantileNs: (rows: number) => (10 + rows) * MS,
  meanNs: (rows: number) => (10 + rows) * MS,
};

describe('simulate', () => {
  it('answers or refuses everybody once, whatever schedules', async () => {
    const profile = createAffine({ name: 'small', perRunMs: 2, perRowMs: 0.5, mostRows: 8 });
    const settings = [
      ...[unbatched(), greedy(profile), ...fixedGrid(profile)],
      ...Object.values<{ settings: unknown[] }>(rivals(profile, 30 * MS)).flatMap((rival) => rival.settings),
    ] as { label: string; create: Create }[];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...settings),
        fc.array(fc.integer({ min: 0, max: 5_000 }), { minLength: 1, maxLength: 120 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 1000 }),
        async ({ create }, gapsUs, slots, seed) => {
          let atNs = 0;
          const timesNs = Float64Array.from(gapsUs, (us) => (atNs += us * 1e3));
          const scenario = { profile, slots, timesNs, objectiveNs: 30 * MS, seed };
          const { requests, batchRows }: Outcome = await simulate(scenario, create);
          const answered = requests.filter(({ state }) => state === 'answered').length;
          const refused = requests.filter(({ state }) => state === 'refused').length;
          expect(answered + refused).toBe(timesNs.length);
          expect(batchRows.reduce((sum, rows) => sum + rows, 0)).toBe(answered);
          for (const { finishedNs, arrivedNs } of requests)
            expect(finishedNs).toBeGreaterThanOrEqual(arrivedNs);
          expect(await simulate(scenario, create)).toEqual({ requests, batchRows });
        },
      ),
      { numRuns: 150 },
    );
  });

  it('refuses schedulers that lose a request, answer twice or take more slots than there are', async () => {
    const at = (...ms: number[]) => run({ ms, create: (bench) => ({ arrive: (one) => broken(bench, one) }) });
    let broken: (bench: Bench, request: Request) => void = () => {};
    await expect(at(1, 2)).rejects.toThrow('2 requests were lost');
    broken = (bench, request) => {
      bench.answer(request);
      bench.answer(request);
    };
    await expect(at(1)).rejects.toThrow('was answered');
    broken = (bench, request) => bench.run([request]);
    await expect(at(1, 2)).rejects.toThrow('without a free slot');
  });
});

describe('profiles and arrivals', () => {
  it('draw what was measured, and in between what lies between', () => {
    const profile = createMeasured('two sizes', { 1: [10, 30, 20], 3: [40, 60, 50] });
    expect(profile.mostRows).toBe(3);
    expect(profile.quantileNs(1, 0.5)).toBe(20 * MS);
    expect(profile.quantileNs(1, 1)).toBe(30 * MS);
    expect(profile.quantileNs(2, 0)).toBe(25 * MS);
    expect(profile.meanNs(3)).toBe(50 * MS);
    expect(profile.meanNs(6)).toBe(100 * MS);
  });

  it('know the capacity and the size that comes near it', () => {
    expect(capacityOf(STEADY, 2)).toEqual({ rows: 8, perSecond: expect.closeTo((2 * 8000) / 18) });
    expect(efficientRowsOf(createMeasured('flat', { 1: [10], 2: [20], 4: [39.9], 8: [79.9] }))).toBe(1);
  });

  it('come at the rate and with the burstiness that they are asked for', () => {
    for (const [name, cv] of [
      ['poisson', 1],
      ['gamma-2', 2],
      ['gamma-4', 4],
    ] as const) {
      const arrivals = loadArrivals('nowhere').find((one: { name: string }) => one.name === name);
      const times = timesOf(arrivals, { perSecond: 50, count: 200_000, random: createSeededRandom(5) });
      const gaps = Array.from(times as Float64Array, (ns, at) => ns - (at === 0 ? 0 : times[at - 1]));
      const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
      const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
      expect(mean / (20 * MS)).toBeCloseTo(1, 1);
      expect(Math.sqrt(variance) / mean / cv).toBeCloseTo(1, 1);
    }
  });
});

describe('measure', () => {
  it('counts who was in time, without the first tenth and those of the end', () => {
    const one = (state: string, ms: number) => ({
      state,
      arrivedNs: 0,
      deadlineNs: 20 * MS,
      finishedNs: ms * MS,
    });
    const end = { ...one('answered', 900), arrivedNs: 20 * MS, deadlineNs: 40 * MS };
    const requests = [one('answered', 900), ...Array(6).fill(one('answered', 10)), one('answered', 30)];
    const measured = measure({
      requests: [...requests, one('refused', 1), one('refused', 1), end],
      batchRows: [4, 4],
    });
    expect(measured).toMatchObject({ goodShare: 6 / 9, p50Ms: 10, p99Ms: 30, meanBatch: 4 });
    expect(measured.refusedShare).toBeCloseTo(2 / 9);
    expect(measured.meanMs).toBeCloseTo(90 / 7);
    expect(percentile([1, 2, 3, 4], 0.5)).toBe(2);
  });

  it('takes the most goodput as best, and among equals the lowest latency', () => {
    const trial = (goodShare: number, meanMs: number) => ({ goodShare, meanMs });
    expect(bestOf([trial(0.9, 1), trial(0.9995, 9), trial(1, 10)])).toEqual(trial(0.9995, 9));
  });
});

describe('the fixed pair', () => {
  it('runs at its size or when the oldest waited for the window, whichever is first', async () => {
    const early = await run({
      ms: [0, 1, 2],
      create: (bench) => createFixed(bench, { size: 3, windowNs: 9 * MS }),
    });
    expect(finishedMs(early)).toEqual([15, 15, 15]);
    const late = await run({
      ms: [0, 1],
      create: (bench) => createFixed(bench, { size: 3, windowNs: 9 * MS }),
    });
    expect(finishedMs(late)).toEqual([21, 21]);
  });

  it('drops only who cannot be in time any more', async () => {
    const create: Create = (bench) => createFixed(bench, { size: 1, dropAt: 0.5 });
    const { requests } = await run({ ms: [0, 0, 0], objectiveMs: 22, create });
    expect(requests.map(({ state }) => state)).toEqual(['answered', 'answered', 'refused']);
  });
});

describe("Triton's dynamic batcher", () => {
  it('runs what waits without a delay, up to the maximum', async () => {
    const { batchRows } = await run({
      ms: [0, 1, 2, 3, 4, 5],
      create: (bench) => createTriton(bench, { maxBatchSize: 4 }),
    });
    expect(batchRows).toEqual([1, 4, 1]);
  });

  it('takes the largest preferred size at once, and anything else when the delay is over', async () => {
    const create: Create = (bench) =>
      createTriton(bench, { maxBatchSize: 8, preferred: [2, 4], maxQueueDelayNs: 5 * MS });
    expect(finishedMs(await run({ ms: [0, 0], create }))).toEqual([12, 12]);
    expect(finishedMs(await run({ ms: [0], create }))).toEqual([16]);
    const behind = await run({ ms: [0, 0, 9, 9, 9, 9, 9], create });
    expect(behind.batchRows).toEqual([2, 4, 1]);
    // The first of them waited longer than the delay before the slot was free: everything goes.
    expect((await run({ ms: [0, 0, 1, 1, 1, 1, 1], create })).batchRows).toEqual([2, 5]);
  });

  it('refuses who waited for longer than the queue timeout', async () => {
    const { requests } = await run({
      ms: [0, 0, 8],
      create: (bench) => createTriton(bench, { maxBatchSize: 1, timeoutNs: 10 * MS }),
    });
    expect(requests.map(({ state }) => state)).toEqual(['answered', 'refused', 'answered']);
  });
});

describe("Clipper's batches", () => {
  it('grow by one while a full one is within the objective, and fall by a tenth beyond', async () => {
    const { batchRows } = await run({
      ms: Array(60).fill(0),
      objectiveMs: 1e4,
      create: (bench) => createClipper(bench, { maxBatchSize: 64, objectiveNs: 16.5 * MS }),
    });
    // 7 rows take 17 ms: 6.3 follows, then again 7.3.
    expect(batchRows.slice(0, 10)).toEqual([1, 2, 3, 4, 5, 6, 7, 6, 7, 6]);
  });

  it('leave out who is past the deadline', async () => {
    const { requests } = await run({
      ms: [0, 0, 0, 9],
      objectiveMs: 22,
      create: (bench) => createClipper(bench, { maxBatchSize: 1, objectiveNs: 22 * MS }),
    });
    expect(requests.map(({ state }) => state)).toEqual(['answered', 'answered', 'refused', 'answered']);
  });
});

describe("BentoML's dispatcher", () => {
  it('fits a line to rows and time, as least squares do', () => {
    const line = [1, 2, 5].map((rows) => ({ rows, ns: 3 * rows + 7 }));
    expect(leastSquares(line)).toEqual({ a: expect.closeTo(3), b: expect.closeTo(7) });
    // One size only: of all lines through it the shortest (a, b).
    expect(leastSquares([{ rows: 3, ns: 10 }])).toEqual({ a: 3, b: 1 });
  });

  it('gives up who would be late by its estimate', async () => {
    const ms = [...Array.from({ length: 40 }, (_, at) => at * 50), ...Array(30).fill(2000)];
    const create: Create = (bench) => createBentoml(bench, { maxBatchSize: 8, maxLatencyNs: 60 * MS });
    const { requests } = await run({ ms, objectiveMs: 60, create });
    expect(requests.slice(0, 40).every(({ state }) => state === 'answered')).toBe(true);
    expect(requests.slice(40).some(({ state }) => state === 'refused')).toBe(true);
    expect(requests.slice(40).some(({ state }) => state === 'answered')).toBe(true);
  });

  it('never runs more than its maximum at once', async () => {
    const ms = Array.from({ length: 200 }, (_, at) => at * 2);
    const create: Create = (bench) => createBentoml(bench, { maxBatchSize: 4, maxLatencyNs: 1e4 * MS });
    expect(Math.max(...(await run({ ms, create })).batchRows)).toBe(4);
  });
});

function run({
  ms,
  objectiveMs = 1000,
  create,
}: {
  readonly ms: readonly number[];
  readonly objectiveMs?: number;
  readonly create: Create;
}): Promise<Outcome> {
  const timesNs = Float64Array.from(ms, (one) => one * MS);
  return simulate({ profile: STEADY, slots: 1, timesNs, objectiveNs: objectiveMs * MS, seed: 1 }, create);
}

function finishedMs({ requests }: Outcome): number[] {
  return requests.map(({ finishedNs }) => finishedNs / MS);
}

function load(name: string) {
  return import(join(import.meta.dirname, '../../bench/simulation', `${name}.mjs`));
}

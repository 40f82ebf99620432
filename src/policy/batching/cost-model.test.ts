import { describe, expect, it } from 'vitest';
import { createSeededRandom } from '../../base/util/seeded-random.ts';
import { createCostModel, type LearnedCosts } from './cost-model.ts';
import { GRID } from './row-grid.ts';

const MS = 1e6;

/** Costs of a ms and a tenth of one per row. */
const affine = (rows: number) => MS + 0.1 * MS * rows;

function learned(sizes: readonly number[], costNs = affine, times = 20): LearnedCosts {
  const costs = createCostModel();
  for (let at = 0; at < times; at++) for (const rows of sizes) costs.observe(0, rows, costNs(rows));
  return costs;
}

function relative(got: number, wanted: number): number {
  return Math.abs(got / wanted - 1);
}

describe('createCostModel', () => {
  it('knows nothing before a run', () => {
    const costs = createCostModel();
    expect(costs.typicalNs(0, 1)).toBe(Number.POSITIVE_INFINITY);
    expect(costs.p99Ns(3, 8)).toBe(Number.POSITIVE_INFINITY);
    expect(costs.efficientRows(0, 64)).toBe(64);
    expect(costs.largestWithin(0, 1e12, 64)).toBe(0);
  });

  it('makes larger sizes worth trying after one, and is careful about what they may take', () => {
    const costs = learned([1]);
    expect(costs.typicalNs(0, 4)).toBeCloseTo(2.5 * costs.typicalNs(0, 1));
    expect(costs.p99Ns(0, 4)).toBeGreaterThanOrEqual(4 * costs.typicalNs(0, 1));
    expect(costs.efficientRows(0, 64)).toBeGreaterThan(16);
  });

  it('reads sizes between and past those that were run', () => {
    const costs = learned([1, 2, 4, 8, 32]);
    for (const rows of [1, 3, 6, 8, 9, 11, 17, 32, 50, 128, 1000, 100_000]) {
      expect(relative(costs.typicalNs(0, rows), affine(rows)), `${rows} rows`).toBeLessThan(0.01);
    }
  });

  it('reads sizes below the least that was run', () => {
    expect(relative(learned([8, 16, 32]).typicalNs(0, 2), affine(2))).toBeLessThan(0.01);
  });

  it('follows costs that are no straight line', () => {
    const stairs = (rows: number) => MS * Math.ceil(rows / 8);
    const costs = learned([1, 2, 3, 4, 5, 6, 7, 8, 10, 13, 16, 20, 25, 32], stairs, 60);
    for (const rows of [1, 4, 8, 10, 16, 20, 32]) {
      expect(relative(costs.typicalNs(0, rows), stairs(rows)), `${rows} rows`).toBeLessThan(0.06);
    }
  });

  it('does not let a size that is off bend the line', () => {
    const costs = learned([1, 2, 4, 8, 16, 32], (rows) => affine(rows) * (rows === 4 ? 3 : 1));
    expect(relative(costs.typicalNs(0, 256), affine(256))).toBeLessThan(0.1);
  });

  it('counts a run at no more than 4 times the prediction, and forgets it', () => {
    const costs = learned([1, 2, 4]);
    costs.observe(0, 2, 3600e9);
    expect(costs.typicalNs(0, 2)).toBeLessThan(1.2 * affine(2));
    expect(costs.p99Ns(0, 2)).toBeLessThan(2 * affine(2));
    for (let at = 0; at < 100; at++) costs.observe(0, 2, affine(2));
    expect(relative(costs.typicalNs(0, 2), affine(2))).toBeLessThan(0.02);
  });

  it('gets over a slow first run', () => {
    const costs = createCostModel();
    for (const rows of [1, 2, 4])
      for (const factor of [20, 1, 1, 1]) costs.observe(0, rows, factor * affine(rows));
    for (const rows of [1, 2, 4]) expect(relative(costs.typicalNs(0, rows), affine(rows))).toBeLessThan(0.3);
  });

  it('follows a change of speed, at sizes that are no longer run too', () => {
    const costs = learned([1, 2, 4, 8, 16]);
    for (let at = 0; at < 3000; at++)
      costs.observe(0, at % 2 === 0 ? 4 : 8, 2 * affine(at % 2 === 0 ? 4 : 8));
    expect(relative(costs.typicalNs(0, 4), 2 * affine(4))).toBeLessThan(0.02);
    expect(costs.typicalNs(0, 16)).toBeGreaterThan(1.6 * affine(16));
  });

  it('takes no notice of what is no measurement', () => {
    const costs = learned([1, 2]);
    const before = costs.typicalNs(0, 1);
    for (const ns of [Number.NaN, -5]) costs.observe(0, 1, ns);
    costs.observe(0, 0, 9e9);
    expect(costs.typicalNs(0, 1)).toBe(before);
    for (let at = 0; at < 9; at++) costs.observe(1, 1, 0);
    expect(costs.typicalNs(1, 1)).toBeGreaterThan(0);
  });
});

describe('what is derived from the curves', () => {
  it('finds the smallest size that is within half a percent of the best rate', () => {
    const costs = learned([1, 2, 4, 8, 16, 32, 64, 128, 256]);
    for (const most of [1, 7, 64, 100, 256]) {
      const rate = (rows: number) => rows / costs.typicalNs(0, rows);
      const enough = 0.995 * rate(most);
      const fewest = [...GRID, most].filter((rows) => rows <= most).find((rows) => rate(rows) >= enough);
      expect(costs.efficientRows(0, most)).toBe(fewest);
    }
  });

  it('sees where more rows are no gain', () => {
    expect(learned([1, 2, 4, 8, 16, 32], (rows) => 10 * MS * rows).efficientRows(0, 256)).toBe(1);
    const flatAt8 = (rows: number) => MS * Math.max(8, rows);
    const rows = learned([1, 2, 3, 4, 5, 6, 7, 8, 16, 32, 64, 128, 256], flatAt8, 100).efficientRows(0, 256);
    // All from 8 are as good, and times are noisy.
    expect(rows).toBeGreaterThanOrEqual(8);
    expect(rows).toBeLessThanOrEqual(32);
  });

  it('finds the most rows whose p99 is within a budget', () => {
    const costs = learned([1, 2, 4, 8, 16, 32]);
    for (const budgetNs of [0, MS, 2 * MS, 3 * MS, 1e12]) {
      const within = Array.from({ length: 64 }, (_, at) => at + 1).filter(
        (n) => costs.p99Ns(0, n) <= budgetNs,
      );
      expect(costs.largestWithin(0, budgetNs, 64)).toBe(within.at(-1) ?? 0);
    }
  });
});

describe('shape classes', () => {
  it('know the largest run of their own or of the one they borrow from', () => {
    expect(createCostModel().knownRows?.(0)).toBe(0);
    const costs = learned([1, 2, 4, 8]);
    expect(costs.knownRows?.(0)).toBe(8);
    expect(costs.knownRows?.(7)).toBe(8);
    costs.observe(7, 3, MS);
    expect(costs.knownRows?.(7)).toBe(8);
    costs.observe(7, 32, MS);
    expect(costs.knownRows?.(7)).toBe(32);
    expect(costs.knownRows?.(0)).toBe(8);
  });

  it('know whole rows, where those of another class are of another size', () => {
    const costs = learned([1, 2, 4, 8]);
    costs.introduce(0, 10);
    costs.introduce(1, 30);
    expect(costs.knownRows?.(1)).toBe(2);
  });

  it('lend what they know to one that was never run', () => {
    const costs = learned([1, 2, 4, 8]);
    expect(costs.typicalNs(7, 4)).toBe(costs.typicalNs(0, 4));
    expect(costs.p99Ns(7, 4)).toBe(costs.p99Ns(0, 4));
  });

  it('lend by the size of a row, the nearest first', () => {
    const costs = createCostModel();
    costs.introduce(0, 16);
    costs.introduce(1, 128);
    costs.introduce(2, 256);
    for (let at = 0; at < 20; at++) {
      for (const rows of [1, 2, 4, 8, 16]) {
        costs.observe(0, rows, affine(rows));
        costs.observe(1, rows, 3 * affine(rows));
      }
    }
    expect(costs.typicalNs(2, 4)).toBe(costs.typicalNs(1, 8));
  });

  it('scale what they borrowed by their first runs, and then go their own way', () => {
    const costs = learned([1, 2, 4, 8, 16]);
    for (let at = 0; at < 5; at++) costs.observe(1, 1, 3 * affine(1));
    expect(relative(costs.typicalNs(1, 16), 3 * affine(16))).toBeLessThan(0.05);
    for (let at = 0; at < 50; at++) for (const rows of [1, 4, 16]) costs.observe(1, rows, 5 * MS + rows * MS);
    expect(relative(costs.typicalNs(1, 16), 21 * MS)).toBeLessThan(0.05);
    expect(relative(costs.typicalNs(0, 16), affine(16))).toBeLessThan(0.01);
  });

  it('all start from samples that name none', () => {
    const costs = createCostModel({ seed: [1, 2, 4, 8, 16].map((rows) => ({ rows, ns: affine(rows) })) });
    expect(relative(costs.typicalNs(0, 12), affine(12))).toBeLessThan(0.02);
    costs.observe(5, 1, 2 * affine(1));
    expect(relative(costs.typicalNs(5, 16), 2 * affine(16))).toBeLessThan(0.1);
  });

  it('share one past the thousandth', () => {
    const costs = learned([1]);
    for (let at = 0; at < 20; at++) costs.observe(5000, 1, 9 * MS);
    expect(relative(costs.typicalNs(9000, 1), 9 * MS)).toBeLessThan(0.01);
  });
});

describe('the 99th percentile', () => {
  const random = createSeededRandom(5);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const distributions: Record<string, () => number> = {
    steady: () => 1 + 0.02 * normal(),
    exponential: () => 0.5 - 0.5 * Math.log(1 - random()),
    'log-normal': () => Math.exp(0.5 * normal()),
    'Pareto of index 2': () => (1 - random()) ** -0.5,
    'two-humped': () => (random() < 0.05 ? 4 : 1),
  };

  it.each(Object.keys(distributions))('is exceeded by one run of a hundred: %s', (name) => {
    const costs = createCostModel();
    let above = 0;
    const runs = 20_000;
    for (let at = -2000; at < runs; at++) {
      const rows = [1, 2, 4, 8][Math.floor(random() * 4)]!;
      const ns = affine(rows) * distributions[name]!();
      if (at >= 0 && ns > costs.p99Ns(0, rows)) above++;
      costs.observe(0, rows, ns);
    }
    expect(above / runs).toBeGreaterThan(0.006);
    expect(above / runs).toBeLessThan(0.016);
  });

  it('rises within some dozens of runs when they become unsteady, and comes down again', () => {
    const costs = createCostModel();
    const run = (factor: number) => costs.observe(0, 4, MS * factor);
    for (let at = 0; at < 1000; at++) run(1);
    expect(costs.p99Ns(0, 4)).toBeLessThan(1.1 * MS);
    for (let at = 0; at < 60; at++) run(at % 10 === 0 ? 3 : 1);
    expect(costs.p99Ns(0, 4)).toBeGreaterThan(1.2 * costs.typicalNs(0, 4));
    for (let at = 0; at < 2000; at++) run(1);
    expect(costs.p99Ns(0, 4)).toBeLessThan(1.1 * MS);
  });
});

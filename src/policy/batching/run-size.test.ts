import { describe, expect, it } from 'vitest';
import { createCostModel } from './cost-model.ts';
import { quickestRows, rowsWorthRunning } from './run-size.ts';

const MS = 1e6;

function affine(fixedNs: number, perRowNs: number) {
  const costs = createCostModel();
  for (let at = 0; at < 30; at++) {
    for (const rows of [1, 2, 4, 8, 16, 32, 64, 128]) costs.observe(0, rows, fixedNs + perRowNs * rows);
  }
  return costs;
}

const ask = (rows: number, fields: Partial<Parameters<typeof rowsWorthRunning>[0]> = {}) =>
  rowsWorthRunning({
    ...{ rows, mostRows: 256, shape: 0, costs: affine(MS, MS), slots: 1, rowsPerNs: 0, weight: 0, ...fields },
  });

describe('rowsWorthRunning', () => {
  it('runs what waits together where that costs little more than one', () => {
    for (const rows of [1, 2, 7, 9, 40, 100]) expect(ask(rows, { costs: affine(MS, MS / 1000) })).toBe(rows);
  });

  it('runs one by one where nothing is gained together', () => {
    expect(ask(20, { costs: affine(1, MS) })).toBe(1);
  });

  it('takes about the square root of what waits, by fixed time over time per row', () => {
    for (const rows of [16, 100, 225]) {
      expect(ask(rows)).toBeGreaterThan(0.6 * Math.sqrt(rows));
      expect(ask(rows)).toBeLessThan(1.6 * Math.sqrt(rows));
    }
  });

  it('leaves nobody behind where that saves little', () => {
    // Two at a time would be waited for 6 % less than all three, three at a time a fifth less than all nine.
    expect(ask(3)).toBe(3);
    expect(ask(9)).toBeLessThan(9);
    // One by one saves 8 and 5 % at two slots.
    expect(ask(2, { slots: 2, costs: affine(1.2 * MS, MS) })).toBe(1);
    expect(ask(2, { slots: 2, costs: affine(1.5 * MS, MS) })).toBe(2);
  });

  it('leaves some to other slots', () => {
    expect(ask(40, { slots: 4 })).toBeLessThan(ask(40));
  });

  it('takes more the more come', () => {
    const at = (load: number, weight = 0) => ask(100, { rowsPerNs: load / MS, weight });
    expect(at(0.8)).toBeGreaterThan(at(0));
    expect(at(0.6, 1)).toBeGreaterThan(at(0.6));
    expect(at(2)).toBeGreaterThan(at(0.8));
  });

  it('takes the quickest size the sooner the more wait, where they come faster than they can be run', () => {
    const at = (rows: number) => ask(rows, { rowsPerNs: 2 / MS });
    for (const rows of [10, 30, 100, 300]) expect(at(3 * rows)).toBeGreaterThan(at(rows));
    expect(at(20_000)).toBe(256);
  });

  it('keeps to the most rows, and to all where costs are not known', () => {
    expect(ask(100, { mostRows: 9, costs: affine(MS, 1) })).toBe(9);
    expect(ask(37, { costs: createCostModel() })).toBe(37);
  });
});

describe('quickestRows', () => {
  it('finds where a row takes least time, which need not be the most', () => {
    expect(quickestRows(affine(MS, MS), 0, 100)).toBe(100);
    const costs = createCostModel();
    for (let at = 0; at < 30; at++) {
      for (const [rows, ms] of [
        [1, 5],
        [2, 8],
        [4, 12],
        [8, 20],
        [16, 60],
        [32, 120],
      ] as const)
        costs.observe(0, rows, ms * MS);
    }
    expect(quickestRows(costs, 0, 32)).toBe(8);
    expect(quickestRows(costs, 0, 4)).toBe(4);
    expect(quickestRows(createCostModel(), 0, 7)).toBe(7);
  });
});

import { describe, expect, it } from 'vitest';
import type { WindowState } from './contract.ts';
import { createCostModel } from './cost-model.ts';
import { worthWaitingNs } from './window.ts';

const MS = 1e6;
const FIXED = MS;
const PER_ROW = 0.1 * MS;

function affineCosts() {
  const costs = createCostModel();
  for (let at = 0; at < 30; at++) {
    for (const rows of [1, 2, 4, 8, 16, 32, 64]) costs.observe(0, rows, FIXED + PER_ROW * rows);
  }
  return costs;
}

const state: WindowState = {
  ...{ nowNs: 100 * MS, oldestSinceNs: 99 * MS, latestStartNs: Number.POSITIVE_INFINITY },
  ...{ rows: 2, mostRows: 64, gapNs: 0.1 * MS, shape: 0, costs: affineCosts(), weight: 0 },
};

describe('worthWaitingNs', () => {
  it('waits where the newcomer saves more than the others lose', () => {
    const gapOfEvenNs = (rows: number) => (FIXED - rows * PER_ROW) / (rows + 1);
    for (const rows of [1, 2, 5, 9]) {
      expect(worthWaitingNs({ ...state, rows, gapNs: 0.9 * gapOfEvenNs(rows) })).toBeGreaterThan(0);
      expect(worthWaitingNs({ ...state, rows, gapNs: 1.1 * gapOfEvenNs(rows) })).toBe(0);
    }
    expect(worthWaitingNs({ ...state, rows: 11, gapNs: 1 })).toBe(0);
  });

  it('asks again after twice the gap, and waits no longer than a newcomer is worth', () => {
    expect(worthWaitingNs({ ...state, gapNs: 0.05 * MS })).toBe(0.1 * MS);
    expect(worthWaitingNs({ ...state, gapNs: 0.25 * MS })).toBeLessThan(0.28 * MS);
  });

  it('waits less the more rows come while a single slot runs', () => {
    const gapNs = 0.15 * MS;
    expect(worthWaitingNs({ ...state, gapNs, rowsPerNs: 1 / MS })).toBeGreaterThan(0);
    expect(worthWaitingNs({ ...state, gapNs, rowsPerNs: 6 / MS })).toBe(0);
    expect(worthWaitingNs({ ...state, gapNs, rowsPerNs: 6 / MS, slots: 2 })).toBeGreaterThan(0);
  });

  it('waits less where another slot is soon free', () => {
    const gapNs = 0.15 * MS;
    expect(worthWaitingNs({ ...state, gapNs, nextFreeNs: MS })).toBeGreaterThan(0);
    expect(worthWaitingNs({ ...state, gapNs, nextFreeNs: 0.5 * MS })).toBe(0);
  });

  it('starts several slots at even distances, where rows come densely and slots have time to spare', () => {
    const dense = {
      ...state,
      rows: 3,
      gapNs: 2e4,
      slots: 2,
      nextFreeNs: MS,
      sinceStartNs: 0.1 * MS,
      rowsPerNs: 8 / MS,
    };
    const costs = createCostModel();
    for (let at = 0; at < 30; at++)
      for (const rows of [1, 2, 4, 8, 16]) costs.observe(0, rows, MS + 1e4 * rows);
    const at = (fields: Partial<WindowState>) =>
      worthWaitingNs({ ...dense, costs, rowsPerNs: 40 / MS, ...fields });
    expect(at({})).toBeCloseTo((MS - 0.1 * MS) / 2, 0);
    expect(at({ nextFreeNs: 0.4 * MS })).toBeCloseTo((0.4 * MS - 0.1 * MS) / 2, 0);
    expect(at({ sinceStartNs: 0.5 * MS, nextFreeNs: 0.4 * MS })).toBe(0);
    expect(at({ sinceStartNs: Number.POSITIVE_INFINITY })).toBe(0);
    expect(worthWaitingNs({ ...dense, costs })).toBe(2 * dense.gapNs);
    expect(worthWaitingNs({ ...dense, costs, rowsPerNs: 180 / MS })).toBe(2 * dense.gapNs);
  });

  it('waits for more where throughput counts', () => {
    const gapNs = 0.3 * MS;
    expect(worthWaitingNs({ ...state, gapNs, weight: 0 })).toBe(0);
    expect(worthWaitingNs({ ...state, gapNs, weight: 1 })).toBeGreaterThan(0);
  });

  it('does not wait with other slots free, a full batch, a preferred size, or costs that are not known', () => {
    expect(worthWaitingNs(state)).toBeGreaterThan(0);
    expect(worthWaitingNs({ ...state, freeSlots: 2 })).toBe(0);
    expect(worthWaitingNs({ ...state, mostRows: 2 })).toBe(0);
    expect(worthWaitingNs({ ...state, preferredRows: [2, 8] })).toBe(0);
    expect(worthWaitingNs({ ...state, costs: createCostModel() })).toBe(0);
    expect(worthWaitingNs({ ...state, gapNs: Number.POSITIVE_INFINITY })).toBe(0);
  });

  it('keeps every deadline', () => {
    expect(worthWaitingNs({ ...state, latestStartNs: state.nowNs + 1000 })).toBe(1000);
    expect(worthWaitingNs({ ...state, latestStartNs: state.nowNs })).toBe(0);
    expect(worthWaitingNs({ ...state, latestStartNs: state.nowNs - MS })).toBe(0);
    expect(worthWaitingNs({ ...state, maxDelayNs: 5 * MS, latestStartNs: state.nowNs + 1000 })).toBe(1000);
  });

  it('waits out a fixed window from the oldest row, whatever it is worth', () => {
    const fixed = { ...state, maxDelayNs: 5 * MS, gapNs: Number.POSITIVE_INFINITY };
    expect(worthWaitingNs(fixed)).toBe(4 * MS);
    expect(worthWaitingNs({ ...fixed, freeSlots: 2 })).toBe(4 * MS);
    expect(worthWaitingNs({ ...fixed, oldestSinceNs: 90 * MS })).toBe(0);
    expect(worthWaitingNs({ ...fixed, maxDelayNs: 0 })).toBe(0);
    expect(worthWaitingNs({ ...fixed, rows: 64 })).toBe(0);
    expect(worthWaitingNs({ ...fixed, preferredRows: [2, 8] })).toBe(0);
  });

  it('waits for those who were answered, if they are back sooner than a run of their own takes', () => {
    const closed = { ...state, rows: 40, gapNs: Number.POSITIVE_INFINITY };
    expect(worthWaitingNs({ ...closed, echoNs: 0.4 * MS })).toBe(0.4 * MS);
    expect(worthWaitingNs({ ...closed, echoNs: 0.4 * MS, latestStartNs: state.nowNs + 10 })).toBe(10);
    expect(worthWaitingNs({ ...closed, echoNs: 1.4 * MS })).toBe(0);
    expect(worthWaitingNs({ ...closed, echoNs: 0 })).toBe(0);
  });

  it('does not wait for more of them than make the share of each free slot', () => {
    const closed = { ...state, echoNs: 0.4 * MS, echoRows: 6, freeSlots: 2 };
    expect(worthWaitingNs({ ...closed, rows: 5 })).toBeGreaterThan(0);
    expect(worthWaitingNs({ ...closed, rows: 6 })).toBe(0);
  });
});

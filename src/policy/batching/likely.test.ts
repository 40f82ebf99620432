import { describe, expect, it } from 'vitest';
import { createFakeCosts } from './fake-costs.ts';
import { largestLikely, likelyNs, rowsUnderPressure } from './likely.ts';

const MS = 1e6;

describe('largestLikely', () => {
  const costs = createFakeCosts({ fixedNs: 4 * MS, perRowNs: 1 * MS, tail: 1.2 });

  it('plans between the typical time and the 99th percentile', () => {
    expect(likelyNs(costs, 0, 6)).toBeCloseTo(11 * MS);
    expect(likelyNs({ ...costs, typicalNs: () => Number.POSITIVE_INFINITY }, 0, 1)).toBe(
      Number.POSITIVE_INFINITY,
    );
  });

  it('finds the most rows for a budget', () => {
    expect(largestLikely(costs, 0, 11 * MS, 100)).toBe(6);
    expect(largestLikely(costs, 0, 11 * MS, 4)).toBe(4);
    expect(largestLikely(costs, 0, 5 * MS, 100)).toBe(0);
    expect(largestLikely(costs, 0, Number.POSITIVE_INFINITY, 100)).toBe(100);
  });
});

describe('rowsUnderPressure', () => {
  const costs = createFakeCosts({ fixedNs: 4 * MS, perRowNs: 1 * MS });
  const state = { most: 256, slots: 1, rowsPerNs: 2 / MS };

  it('aims at runs that are in time for rows that came while they gathered', () => {
    // 4 + n + n/2 <= 34
    expect(rowsUnderPressure(costs, 0, { ...state, budgetNs: 34 * MS })).toBe(20);
    expect(rowsUnderPressure(costs, 0, { ...state, budgetNs: 34 * MS, most: 8 })).toBe(8);
    expect(rowsUnderPressure(costs, 0, { ...state, budgetNs: 34 * MS, slots: 2 })).toBe(15);
    expect(rowsUnderPressure(costs, 0, { ...state, budgetNs: 1 })).toBe(1);
  });

  it('aims at one where no rate is known', () => {
    expect(rowsUnderPressure(costs, 0, { ...state, budgetNs: 34 * MS, rowsPerNs: 0 })).toBe(1);
  });
});

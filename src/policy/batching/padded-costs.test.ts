import { describe, expect, it } from 'vitest';
import { createFakeCosts } from './fake-costs.ts';
import { createPaddedCosts } from './padded-costs.ts';

/** 12 for a run of 2, 18 for one of 8. */
const costs = createFakeCosts({ fixedNs: 10, perRowNs: 1, tail: 2 });
const padded = createPaddedCosts(costs, [2, 8]);

describe('createPaddedCosts', () => {
  it('takes a run for as long as it is when it is filled up', () => {
    expect([1, 2, 3, 8].map((rows) => padded.typicalNs(0, rows))).toEqual([12, 12, 18, 18]);
    expect([1, 3].map((rows) => padded.p99Ns(0, rows))).toEqual([24, 36]);
    padded.observe(0, 3, 17);
    expect(costs.observed).toEqual([{ rows: 8, ns: 17 }]);
  });

  it('finds full runs efficient, and of a size that cannot be filled the most', () => {
    expect(padded.efficientRows(0, 8)).toBe(8);
    expect(padded.efficientRows(0, 5)).toBe(5);
    expect(createPaddedCosts(createFakeCosts({ fixedNs: 0, perRowNs: 1 }), [2, 8]).efficientRows(0, 8)).toBe(
      2,
    );
    expect(padded.efficientRows(0, 1)).toBe(1);
  });

  it('has most rows in time where their whole run is', () => {
    expect([23, 24, 35, 36].map((ns) => padded.largestWithin(0, ns, 8))).toEqual([0, 2, 2, 8]);
    expect(padded.largestWithin(0, 24, 1)).toBe(1);
  });
});

import type { CostModel } from './contract.ts';

/** Rows per second within this much of the best are as good. */
const GOOD_ENOUGH = 0.98;

/**
 * What runs take that are filled up to one of these sizes: as long as a run of that size, however few of its rows were
 * asked for. A model of runs alone would take the half-empty run of a fixed batch for a quick one.
 *
 * @param sizes smallest first
 */
export function createPaddedCosts(costs: CostModel, sizes: readonly number[]): CostModel {
  function filled(rows: number): number {
    for (const size of sizes) if (size >= rows) return size;
    return rows;
  }

  /** Numbers of rows that no larger run of the same time has: full runs, and the most that may be. */
  function worthAsking(most: number): readonly number[] {
    return [...sizes.filter((size) => size < most), most];
  }

  const typicalNs: CostModel['typicalNs'] = (shape, rows) => costs.typicalNs(shape, filled(rows));
  const p99Ns: CostModel['p99Ns'] = (shape, rows) => costs.p99Ns(shape, filled(rows));
  return {
    typicalNs,
    p99Ns,
    observe: (shape, rows, ns) => costs.observe(shape, filled(rows), ns),
    introduce: (shape, elementsPerRow) => costs.introduce?.(shape, elementsPerRow),
    knownRows: (shape) => costs.knownRows?.(shape) ?? 0,
    efficientRows(shape, most) {
      const asked = worthAsking(most);
      const rates = asked.map((rows) => rows / typicalNs(shape, rows));
      const enough = Math.max(...rates) * GOOD_ENOUGH;
      return asked[rates.findIndex((rate) => rate >= enough)] ?? most;
    },
    largestWithin(shape, budgetNs, most) {
      return worthAsking(most).findLast((rows) => p99Ns(shape, rows) <= budgetNs) ?? 0;
    },
  };
}

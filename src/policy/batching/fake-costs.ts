import type { CostModel } from './contract.ts';

export interface AffineCosts {
  readonly fixedNs: number;
  readonly perRowNs: number;
  /** 99th percentile over the typical time. Default 1. */
  readonly tail?: number;
}

/** Test support: costs that are known and never change, the same for every shape class. */
export function createFakeCosts({ fixedNs, perRowNs, tail = 1 }: AffineCosts): CostModel & {
  readonly observed: readonly { readonly rows: number; readonly ns: number }[];
} {
  const observed: { readonly rows: number; readonly ns: number }[] = [];
  const typicalNs = (_: number, rows: number) => fixedNs + perRowNs * rows;
  const p99Ns = (_: number, rows: number) => typicalNs(_, rows) * tail;
  const rate = (rows: number) => rows / typicalNs(0, rows);
  return {
    observed,
    typicalNs,
    p99Ns,
    observe: (_, rows, ns) => void observed.push({ rows, ns }),
    efficientRows(_, most) {
      let rows = 1;
      while (rows < most && rate(rows) < 0.98 * rate(most)) rows++;
      return rows;
    },
    largestWithin(shape, budgetNs, most) {
      let rows = most;
      while (rows > 0 && p99Ns(shape, rows) > budgetNs) rows--;
      return rows;
    },
  };
}

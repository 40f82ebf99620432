import type { CostModel, ShapeClass } from './contract.ts';
import { cellBelow, GRID } from './row-grid.ts';

export interface RunSizeState {
  /** Rows that wait, of all classes that share the slots. */
  readonly rows: number;
  /** Most rows that one run may have. */
  readonly mostRows: number;
  readonly shape: ShapeClass;
  readonly costs: CostModel;
  readonly slots: number;
  /** Rows that come meanwhile. */
  readonly rowsPerNs: number;
  /** 0: latency counts, 1: throughput does. */
  readonly weight: number;
}

/** Of what the best size can do, what is taken to come at most. */
const KEPT_UP = 0.85;
/** Part of what is waited for that a smaller run must save at one slot. */
const LEAST_GAIN = 0.1;

/**
 * Of the rows that wait, how many should run now? All of them end together, the last as early as can be; smaller runs
 * let the first go sooner, and use other slots, but the work of all is more. Taken as a fluid: runs of k rows by s
 * slots in T(k) take away s k / T(k) rows per time, while new ones come; so the n that wait, and the new ones, are
 * gone after D, and n D / 2 + (n + new) T(k) / 2 is waited for in all. The k of the least is taken. Where even all in
 * one run do not keep up with what comes, all are. No more is taken to come than could nearly be kept up with, for no
 * surge lasts forever: else the largest runs would be best however few wait. Nor is less than all run where little is
 * saved: what comes by chance meets those left behind, which a fluid knows nothing of; the less the more slots there are,
 * of which one is free the sooner. A `weight` above a half counts more as coming than does.
 */
export function rowsWorthRunning(state: RunSizeState): number {
  const { rows, mostRows, shape, costs, slots, weight } = state;
  const most = Math.min(rows, mostRows);
  const quickest = quickestRows(costs, shape, mostRows);
  const mostPerNs = (slots * quickest) / costs.typicalNs(shape, quickest);
  const comingPerNs = Math.min(state.rowsPerNs * Math.max(1, 0.5 + weight), KEPT_UP * mostPerNs);
  let best = most;
  let leastNs = Number.POSITIVE_INFINITY;
  let allNs = Number.POSITIVE_INFINITY;
  for (let cell = 0; cell <= cellBelow(most) + 1; cell++) {
    const size = Math.min(most, GRID[cell] ?? most);
    const runNs = costs.typicalNs(shape, size);
    const takenPerNs = (slots * size) / runNs - comingPerNs;
    if (!(takenPerNs > 0)) continue;
    const goneAfterNs = rows / takenPerNs;
    const waitedNs = rows * goneAfterNs + (rows + comingPerNs * goneAfterNs) * runNs;
    if (size === most) allNs = waitedNs;
    if (waitedNs >= leastNs) continue;
    leastNs = waitedNs;
    best = size;
  }
  return leastNs < (1 - LEAST_GAIN / slots) * allNs ? best : most;
}

/** The size (<= most) that takes least time a row. */
export function quickestRows(costs: CostModel, shape: ShapeClass, most: number): number {
  let quickest = most;
  let leastNs = costs.typicalNs(shape, most) / most;
  for (let cell = cellBelow(most); cell >= 0; cell--) {
    const size = GRID[cell]!;
    const perRowNs = costs.typicalNs(shape, size) / size;
    if (perRowNs >= leastNs) continue;
    leastNs = perRowNs;
    quickest = size;
  }
  return quickest;
}

import type { CostModel, ShapeClass } from './contract.ts';

/**
 * Of the way from the typical time to the 99th percentile, what runs are planned with. With all of it they are so much
 * smaller than the deadlines allow that more is refused for it than one of a hundred.
 */
const SHARE = 0.5;

/** Time that most runs of this size stay within. */
export function likelyNs(costs: CostModel, shape: ShapeClass, rows: number): number {
  const typicalNs = costs.typicalNs(shape, rows);
  if (typicalNs === Number.POSITIVE_INFINITY) return typicalNs;
  return typicalNs + SHARE * (costs.p99Ns(shape, rows) - typicalNs);
}

/**
 * Most rows (<= most) of a run that is likely over within the budget, less `perRowNs` for each of them; 0: not even one.
 */
export function largestLikely(
  costs: CostModel,
  shape: ShapeClass,
  budgetNs: number,
  most: number,
  perRowNs = 0,
): number {
  const fits = (rows: number) => likelyNs(costs, shape, rows) + rows * perRowNs <= budgetNs;
  if (budgetNs === Number.POSITIVE_INFINITY || fits(most)) return most;
  let low = 0;
  let high = most;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/**
 * Rows of the runs to aim at while more is asked than can be done: the largest that is likely over in time for rows
 * that came while as many gathered. Smaller ones would serve the first of them and fewer in all.
 */
export function rowsUnderPressure(
  costs: CostModel,
  shape: ShapeClass,
  state: {
    readonly budgetNs: number;
    readonly most: number;
    readonly slots: number;
    readonly rowsPerNs: number;
  },
): number {
  const { budgetNs, most, slots, rowsPerNs } = state;
  // None are known to come: each run is for who is there.
  if (!(rowsPerNs > 0)) return 1;
  return Math.max(1, largestLikely(costs, shape, budgetNs, most, slots / rowsPerNs));
}

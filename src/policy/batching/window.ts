import type { WindowState } from './contract.ts';

/**
 * How long a free slot should wait for more rows; 0: run now. One step is looked ahead. Where n rows wait, the next
 * comes after a gap g and a run takes c(n):
 * - waiting for it costs the n rows n (g + c(n + 1) - c(n));
 * - it saves the newcomer the rest of the run that it would have found under way, c(n) + c(1) - c(n + 1) - g;
 * - it costs the slot g, and saves it the run that is not made, c(n) + c(1) - c(n + 1).
 * `weight` mixes what counts for those who wait with what counts for the slot. With costs a + b n and weight 0 the
 * rule is: wait while (n + 1) g < a - n b. It waits at most as long as a newcomer is worth: past that, none came as
 * expected, and it has cost what it could have saved (as in the problem of renting or buying skis).
 */
export function worthWaitingNs(state: WindowState): number {
  const { nowNs, rows, mostRows, latestStartNs, maxDelayNs, preferredRows } = state;
  if (rows >= mostRows || preferredRows?.includes(rows)) return 0;
  const allowedNs = latestStartNs - nowNs;
  if (!(allowedNs > 0)) return 0;
  if (maxDelayNs !== undefined) {
    return Math.max(0, Math.min(allowedNs, state.oldestSinceNs + maxDelayNs - nowNs));
  }
  const worthNs = newcomerWorthNs(state);
  return state.gapNs < worthNs ? Math.min(allowedNs, worthNs) : 0;
}

/** The longest gap for which it pays to wait for the next row; negative: none. NaN where no costs are known. */
function newcomerWorthNs({ rows, shape, costs, weight }: WindowState): number {
  const nowNs = costs.typicalNs(shape, rows);
  const moreNs = costs.typicalNs(shape, rows + 1) - nowNs;
  const savedNs = costs.typicalNs(shape, 1) - moreNs;
  const waiting = (1 - weight) * rows;
  return (savedNs - waiting * moreNs) / (1 + waiting);
}

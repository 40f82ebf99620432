import type { WindowState } from './contract.ts';

/** Times the expected gap after which the decision is made anew. */
const PATIENCE = 2;
/** Of what the slots can do, not counting what is fixed in each run. */
const SPARE = 0.8;
const DENSE = 12;

/**
 * How long a free slot should wait for more rows, before it asks again; 0: run now. One step is looked ahead: where n
 * rows wait, the next comes after a gap g and a run takes c(n), waiting for it
 * - costs the n rows n (g + c(n + 1) - c(n)), and with a single slot g for each row that comes while they run, because
 *   that finds the slot taken for so much longer,
 * - saves the newcomer the time until a slot is free again, at most c(n), and none if one is; and c(1) - c(n + 1), less g.
 * With one slot, rows that come at a rate r and costs a + b n: wait while (n + 1 + r c(n)) g < a - n b. So mean latency
 * is least. A `weight` above a half takes from the cost of those who wait, half at most: past that, slots stand idle,
 * and throughput falls too.
 *
 * In a closed loop that does not hold: what is gained comes back with every round. Those who were answered are waited
 * for if they are back in less time than is saved by one run less, until each free slot has its share.
 */
export function worthWaitingNs(state: WindowState): number {
  const { nowNs, rows, mostRows, latestStartNs, maxDelayNs, preferredRows, shape, costs } = state;
  if (rows >= mostRows || preferredRows?.includes(rows)) return 0;
  const allowedNs = latestStartNs - nowNs;
  if (!(allowedNs > 0)) return 0;
  if (maxDelayNs !== undefined) {
    return Math.max(0, Math.min(allowedNs, state.oldestSinceNs + maxDelayNs - nowNs));
  }
  const { gapNs, echoNs = 0, echoRows = Number.POSITIVE_INFINITY } = state;
  const { slots = 1, freeSlots = 1, nextFreeNs = Number.POSITIVE_INFINITY, rowsPerNs = 0 } = state;
  const runNs = costs.typicalNs(shape, rows);
  const joinedNs = costs.typicalNs(shape, rows + 1);
  const aloneNs = costs.typicalNs(shape, 1);
  const hasItsShare = rows * freeSlots >= rows + echoRows;
  if (echoNs > 0 && !hasItsShare && echoNs < runNs + aloneNs - joinedNs) return Math.min(allowedNs, echoNs);
  if (freeSlots > 1 || gapNs === Number.POSITIVE_INFINITY) return 0;
  const rhythmNs = untilDueNs(state, runNs, joinedNs - runNs);
  if (rhythmNs >= 0) return Math.min(allowedNs, rhythmNs);
  const waiting = rows * Math.min(1, 1.5 - state.weight);
  const savedNs = Math.min(runNs, nextFreeNs) + aloneNs - joinedNs;
  const meanwhile = slots === 1 ? rowsPerNs * runNs : 0;
  const worthNs = (savedNs - waiting * (joinedNs - runNs)) / (1 + waiting + meanwhile);
  return gapNs < worthNs ? Math.min(allowedNs, worthNs, PATIENCE * gapNs) : 0;
}

/**
 * Several slots that start one after the other at even distances serve best, so the start is put in the middle between
 * the last one and the next, for which a slot is free then. A least distance instead would let a large run and a small
 * one take turns for good. Only where rows come so densely that many fall within a distance, which is
 * a / (slots - b rate) where each start is as far from the next, and where the slots have time to spare, else what
 * waits sets the pace; -1 where it does.
 */
function untilDueNs(state: WindowState, runNs: number, perRowNs: number): number {
  const { rows, slots = 1, rowsPerNs = 0, nextFreeNs = 0, sinceStartNs = Number.POSITIVE_INFINITY } = state;
  const load = (perRowNs * rowsPerNs) / slots;
  if (slots === 1 || !(load < SPARE)) return -1;
  const distanceNs = Math.max(0, runNs - rows * perRowNs) / slots / (1 - load);
  if (distanceNs * rowsPerNs < DENSE) return -1;
  return Math.max(0, (nextFreeNs - sinceStartNs) / 2);
}

import { fewestLeftOut } from '../../simulation/bound.mjs';

/** More rows than any server had in flight. */
const MOST_ROWS = 256;

/**
 * The share of a schedule that no order and no size of runs would answer within the objective, on what this machine
 * came to: a run of n rows takes no less than n requests do at the peak, nor less than the bare engine takes for one.
 * Runs that take longer for once, and what it costs to read and write, only add to it.
 *
 * @param {object} at
 * @param {Float64Array} at.schedule when requests come, in milliseconds
 * @param {number} at.rampSeconds who comes before is not counted
 * @param {number} at.peak requests a second
 */
export function leastMissed({ schedule, rampSeconds, objectiveMs, peak, bareRunUs }) {
  const counted = schedule.filter((ms) => ms >= rampSeconds * 1000).map((ms) => ms * 1e6);
  const runNs = (rows) => Math.max(bareRunUs * 1e3, (rows * 1e9) / peak);
  const how = { objectiveNs: objectiveMs * 1e6, mostRows: MOST_ROWS, runNs, most: counted.length };
  return fewestLeftOut(counted, how) / counted.length;
}

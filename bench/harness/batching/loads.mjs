import { loadFor } from '../measure.mjs';
import { openLoopOf } from './run-open-loop.mjs';

/** A 99th percentile wants some hundred requests; a slow model's runs are longer for it, within reason. */
const REQUESTS = 200;
const LONGEST_SECONDS = 3;
/** Of an open-loop run: what comes first is not counted. */
const RAMP_SHARE = 0.2;
const OVERLOAD_SECONDS = 4;
const OVERLOAD_RAMP_SECONDS = 1;
/** How long an answer may be late and still be waited for. */
const DRAIN_MS = 1500;
/** Above it the client's own core is what is measured. */
const MOST_PER_SECOND = 25_000;

/** Shares of the peak, and arrivals; the first is the low load, the second what the objective is fixed by. */
export const OPEN_LOADS = [
  { arrivals: 'poisson', share: 0.2 },
  { arrivals: 'poisson', share: 0.5 },
  { arrivals: 'poisson', share: 0.8 },
  { arrivals: 'gamma', share: 0.5 },
  { arrivals: 'trace', share: 0.5 },
];
export const HALF_LOAD = OPEN_LOADS[1];
export const OVERLOAD = { arrivals: 'poisson', share: 3, isOverload: true };
/** Where fixed sizes and windows are compared. */
export const GRID_LOADS = [{ connections: 64 }, OPEN_LOADS[0], OPEN_LOADS[2]];

/** wrk, with so many requests in flight. */
export function closedLoad(server, model, { cache }) {
  return loadFor(server, model, 'json', cache);
}

/**
 * The open-loop client, at a share of a peak. The seed is that of the round: every server gets the same arrivals, at
 * its own rate.
 */
export function openLoad(server, model, { arrivals, share, isOverload }, how) {
  const { peak, thresholdsMs, seconds: wanted, round, cache, trace } = how;
  const ratePerSecond = Math.min(MOST_PER_SECOND, peak * share);
  const seconds = isOverload
    ? Math.max(wanted, OVERLOAD_SECONDS)
    : Math.min(Math.max(wanted, LONGEST_SECONDS), Math.max(wanted, REQUESTS / ratePerSecond));
  const load = openLoopOf(`${cache}/${server.name}-${model.name}-open`, server.request(model, 'json'), {
    ...{ kind: arrivals, ratePerSecond, seconds, trace, thresholdsMs, seed: 1 + round },
    rampSeconds: isOverload ? OVERLOAD_RAMP_SECONDS : seconds * RAMP_SHARE,
    drainMs: DRAIN_MS,
  });
  return { load, ratePerSecond };
}

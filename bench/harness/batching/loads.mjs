import { loadFor } from '../measure.mjs';
import { scheduleOf } from './arrivals.mjs';
import { openLoopOf } from './run-open-loop.mjs';

/** A 99th percentile wants some hundred requests; a slow model's runs are longer for it, within reason. */
const ENOUGH = { requests: 150, longestSeconds: 2.5 };
/** To see whether one of a thousand is refused, or a mean differs by a twentieth. */
const THOUSAND = { requests: 1200, longestSeconds: 8 };
/** Of an open-loop run: what comes first is not counted. */
const RAMP_SHARE = 0.2;
const OVERLOAD_SECONDS = 4;
const OVERLOAD_RAMP_SECONDS = 1;
/** How long an answer may be late and still be waited for. */
const DRAIN_MS = 1500;
const OVERLOAD_DRAIN_MS = 500;
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
export const LOW_LOAD = OPEN_LOADS[0];
export const HALF_LOAD = OPEN_LOADS[1];
/** Of nimify and the fixed pairs. */
export const REFUSAL_LOAD = { arrivals: 'poisson', share: 0.8, length: THOUSAND };
export const OVERLOAD = { arrivals: 'poisson', share: 3, isOverload: true };
/** Where fixed sizes and windows are compared. Means of a hundred requests differ by more than the servers do. */
export const GRID_LOADS = [
  { connections: 64 },
  { ...LOW_LOAD, length: THOUSAND },
  { ...OPEN_LOADS[2], length: THOUSAND },
];

/** wrk, with so many requests in flight. */
export function closedLoad(server, model, { cache }) {
  return loadFor(server, model, 'json', cache);
}

/**
 * The open-loop client, at a share of a peak. The seed is that of the round: every server gets the same arrivals, at
 * its own rate.
 */
export function openLoad(server, model, wanted, how) {
  const { thresholdsMs, cache } = how;
  const arrivals = arrivalsAt(wanted, how);
  const load = openLoopOf(`${cache}/${server.name}-${model.name}-open`, server.request(model, 'json'), {
    ...arrivals,
    thresholdsMs,
    drainMs: wanted.isOverload ? OVERLOAD_DRAIN_MS : DRAIN_MS,
  });
  return { load, ratePerSecond: arrivals.ratePerSecond };
}

/** The very times at which `openLoad` sends, in milliseconds, and how much of the beginning is not counted. */
export function scheduleAt(wanted, how) {
  const arrivals = arrivalsAt(wanted, how);
  return { schedule: scheduleOf(arrivals), rampSeconds: arrivals.rampSeconds };
}

function arrivalsAt(
  { arrivals, share, isOverload, length = ENOUGH },
  { peak, seconds: wanted, round, trace },
) {
  const ratePerSecond = Math.min(MOST_PER_SECOND, peak * share);
  const seconds = isOverload
    ? Math.max(wanted, OVERLOAD_SECONDS)
    : Math.max(wanted, Math.min(length.longestSeconds, length.requests / ratePerSecond));
  const rampSeconds = isOverload ? OVERLOAD_RAMP_SECONDS : seconds * RAMP_SHARE;
  return { kind: arrivals, ratePerSecond, seconds, trace, seed: 1 + round, rampSeconds };
}

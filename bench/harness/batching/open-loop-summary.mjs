/** In place of a status: not answered when the client stopped waiting. */
export const UNANSWERED = -1;
/** By which a server says that it has too much to do: 429 and 503, of which peers use either. */
const REFUSALS = new Set([429, 503]);
/** Taken, and not answered in time. */
const EXPIRED = 504;

/**
 * What came of a schedule. Requests that were due in the first `rampSeconds` are sent and not counted: a server needs
 * a moment to notice a load.
 *
 * @param thresholdsMs for each, `goodPerSecond` has how many requests a second were answered within it
 */
export function summarizeOpenLoop(
  { schedule, status, latencyMs, lateMs },
  { rampSeconds, seconds, thresholdsMs },
) {
  const rampMs = rampSeconds * 1000;
  const measuredSeconds = seconds - rampSeconds;
  const accepted = [];
  const refused = [];
  const late = [];
  const count = { requests: 0, due: 0, failed: 0, expired: 0, unanswered: 0, completed: 0 };
  const errors = {};
  for (let index = 0; index < schedule.length; index += 1) {
    const code = status[index];
    const doneAt = schedule[index] + latencyMs[index];
    if (code !== UNANSWERED) count.requests += 1;
    if (code === 200 && doneAt >= rampMs && doneAt <= seconds * 1000) count.completed += 1;
    if (schedule[index] < rampMs) continue;
    count.due += 1;
    late.push(lateMs[index]);
    if (code === 200) accepted.push(latencyMs[index]);
    else if (REFUSALS.has(code)) refused.push(latencyMs[index]);
    else if (code === EXPIRED) count.expired += 1;
    else if (code === UNANSWERED) count.unanswered += 1;
    else {
      count.failed += 1;
      errors[code] = (errors[code] ?? 0) + 1;
    }
  }
  const of = quantilesOf(accepted);
  const no = quantilesOf(refused);
  return {
    ...{
      requests: count.requests,
      due: count.due,
      failed: count.failed,
      unanswered: count.unanswered,
      errors,
    },
    ...{ durationUs: measuredSeconds * 1e6, offeredPerSecond: count.due / measuredSeconds },
    perSecond: count.completed / measuredSeconds,
    ...{ p50Us: of(0.5) * 1000, p99Us: of(0.99) * 1000, maxUs: of(1) * 1000 },
    meanUs: (accepted.reduce((sum, ms) => sum + ms, 0) / accepted.length) * 1000,
    ...{ refused: refused.length, refusedShare: refused.length / count.due },
    ...{ expired: count.expired, expiredShare: count.expired / count.due },
    ...{ refusalP50Us: no(0.5) * 1000, refusalP99Us: no(0.99) * 1000 },
    goodPerSecond: thresholdsMs.map(
      (threshold) => accepted.filter((ms) => ms <= threshold).length / measuredSeconds,
    ),
    lateP99Us: quantilesOf(late)(0.99) * 1000,
  };
}

/** NaN where there is nothing. */
function quantilesOf(values) {
  const sorted = Float64Array.from(values).sort();
  return (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Of all requests, the share that is not counted because everybody still learns. */
const WARM_UP_SHARE = 0.1;

/**
 * What a simulation came to. Shares are of all requests that came after the first tenth; latencies are those of
 * requests that were answered, late ones among them. Given up are those who were refused, but not at once.
 *
 * @param {{ requests: import('./simulate.mjs').Request[], batchRows: number[] }} outcome
 */
export function measure({ requests, batchRows }) {
  const counted = requests.slice(Math.floor(requests.length * WARM_UP_SHARE));
  const answered = counted.filter(({ state }) => state === 'answered');
  const inTime = answered.filter(({ finishedNs, deadlineNs }) => finishedNs <= deadlineNs);
  const latencies = Float64Array.from(answered, ({ finishedNs, arrivedNs }) => finishedNs - arrivedNs).sort();
  const rows = batchRows.reduce((sum, one) => sum + one, 0);
  return {
    goodShare: inTime.length / counted.length,
    refusedShare: 1 - answered.length / counted.length,
    givenUpShare: counted.filter(isGivenUp).length / counted.length,
    p50Ms: percentile(latencies, 0.5) / 1e6,
    p99Ms: percentile(latencies, 0.99) / 1e6,
    meanMs: latencies.reduce((sum, ns) => sum + ns, 0) / latencies.length / 1e6,
    meanBatch: rows / batchRows.length,
  };
}

function isGivenUp({ state, finishedNs, arrivedNs }) {
  return state === 'refused' && finishedNs > arrivedNs;
}

/** Nearest rank. NaN where there is nothing. */
export function percentile(sorted, share) {
  return sorted.length === 0 ? Number.NaN : sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

/** Of all requests, the share that is not counted because everybody still learns. */
const WARM_UP_SHARE = 0.1;
/** And the most that is not counted at the end. */
const END_SHARE = 0.4;

/**
 * What a simulation came to. Shares are of the requests that are counted; latencies are those of requests that were
 * answered, late ones among them. Given up are those who were refused, but not at once.
 *
 * @param {{ requests: import('./simulate.mjs').Request[], batchRows: number[] }} outcome
 */
export function measure({ requests, batchRows }) {
  const [from, to] = countedOf(
    Float64Array.from(requests, ({ arrivedNs }) => arrivedNs),
    objectiveOf(requests),
  );
  const counted = requests.slice(from, to);
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

/**
 * Which requests count, from and to: not the first tenth, nor those who came so late that they could be answered when
 * nobody came any more. Whoever keeps a long queue would answer them without any load.
 */
export function countedOf(timesNs, objectiveNs) {
  const count = timesNs.length;
  const from = Math.floor(count * WARM_UP_SHARE);
  let to = count;
  if (objectiveNs === Number.POSITIVE_INFINITY) return [from, to];
  const endsNs = timesNs[count - 1] - objectiveNs;
  while (to > count * (1 - END_SHARE) && timesNs[to - 1] > endsNs) to -= 1;
  return [from, to];
}

function objectiveOf([{ arrivedNs, deadlineNs }]) {
  return deadlineNs - arrivedNs;
}

function isGivenUp({ state, finishedNs, arrivedNs }) {
  return state === 'refused' && finishedNs > arrivedNs;
}

/** Nearest rank. NaN where there is nothing. */
export function percentile(sorted, share) {
  return sorted.length === 0 ? Number.NaN : sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

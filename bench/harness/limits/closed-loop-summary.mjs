/**
 * What answers came to from the last one of the ramp to the last of all, which are both the end of a batch: so many
 * whole batches in so much time. `answers` are in the order in which they came.
 */
export function summarizeClosedLoop(answers, { rampEndMs }) {
  const first = answers.findLastIndex(({ atMs }) => atMs <= rampEndMs);
  const counted = answers.slice(first + 1);
  const from = answers[first] ?? { atMs: rampEndMs };
  const durationMs = (counted.at(-1)?.atMs ?? Number.NaN) - from.atMs;
  const good = counted.filter(({ status }) => status === 200);
  const latencies = Float64Array.from(good, ({ latencyMs }) => latencyMs * 1000).sort();
  const at = (share) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))];
  const broken = counted.filter(({ status }) => status === 0).length;
  const errors = { broken, status: counted.length - good.length - broken };
  return {
    ...{
      requests: counted.length,
      durationUs: durationMs * 1000,
      perSecond: (good.length * 1000) / durationMs,
    },
    ...{ p50Us: at(0.5), p99Us: at(0.99), maxUs: latencies.at(-1) },
    ...{ errors, failed: counted.length - good.length },
  };
}

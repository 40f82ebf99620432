import type { MetricsRegistry } from '../base/telemetry/metrics.ts';
import type { BatchingInstruments, BatchingRefusal } from '../policy/batching/contract.ts';

/** Upper bounds of the rows of a run. */
const ROW_BUCKETS: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

const REFUSALS: readonly BatchingRefusal[] = ['full', 'late', 'expired', 'cancelled'];

/** What the batcher of one version of a model counts. */
export type BatchingMetrics = (model: string, version: string) => BatchingInstruments;

export function createBatchingMetrics(metrics: MetricsRegistry): BatchingMetrics {
  const rows = metrics.histogram('nimify_batch_rows', 'Rows of each run.', ROW_BUCKETS, ['model', 'version']);
  const joined = metrics.counter('nimify_batched_requests', 'Requests that shared a run with others.', [
    'model',
    'version',
  ]);
  const refused = metrics.counter(
    'nimify_queue_refusals',
    'Requests that ended without a run: the queue was full, the deadline could not be met or passed, the client left.',
    ['model', 'version', 'reason'],
  );
  return (model, version) => {
    const ofRows = rows.labels(model, version);
    const ofJoined = joined.labels(model, version);
    const ofRefusals = Object.fromEntries(
      REFUSALS.map((why) => [why, refused.labels(model, version, why)]),
    ) as Record<BatchingRefusal, ReturnType<typeof refused.labels>>;
    return {
      ran(count, requests) {
        ofRows.observe(count);
        if (requests > 1) ofJoined.inc(requests);
      },
      refused: (why) => ofRefusals[why].inc(),
    };
  };
}

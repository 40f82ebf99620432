import type { BatchTotals, ModelStatistics } from '../registry/statistics.ts';
import type { CountedModel } from './peers.ts';

/**
 * The answer of Triton's statistics extension, in the names that its JSON and its protobuf message share. Numbers are
 * whole; durations are totals in nanoseconds.
 */
export function toModelStats(all: readonly CountedModel[]) {
  return { model_stats: all.map(toModelStat) };
}

function toModelStat({ served, statistics }: CountedModel) {
  const { lastInferenceMs, inferenceCount, executionCount, success, fail, queue } = statistics;
  return {
    name: served.name,
    version: served.version,
    last_inference: lastInferenceMs,
    inference_count: inferenceCount,
    execution_count: executionCount,
    inference_stats: {
      success,
      fail,
      queue,
      ...computeStats(statistics),
      cache_hit: statistics.cacheHit,
      cache_miss: statistics.cacheMiss,
    },
    response_stats: toResponseStats(statistics),
    batch_stats: statistics.batches.map((batch) => ({ batch_size: batch.rows, ...computeStats(batch) })),
    memory_usage: [],
  };
}

/** By place in the answers to a request, of which there is one. */
function toResponseStats({ computeInfer, computeOutput, success, fail, cancel }: ModelStatistics) {
  if (success.count + fail.count === 0) return {};
  return {
    0: {
      compute_infer: computeInfer,
      compute_output: computeOutput,
      success,
      fail,
      empty_response: { count: 0, ns: 0 },
      cancel,
    },
  };
}

function computeStats({
  computeInput,
  computeInfer,
  computeOutput,
}: Pick<BatchTotals, 'computeInput' | 'computeInfer' | 'computeOutput'>) {
  return { compute_input: computeInput, compute_infer: computeInfer, compute_output: computeOutput };
}

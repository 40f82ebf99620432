import type { FastifyInstance } from 'fastify';
import type { ServedStatistics } from '../../../registry/contract.ts';
import type { BatchTotals, ModelStatistics } from '../../../registry/statistics.ts';
import type { HttpDeps } from '../deps.ts';
import { MODEL_PATHS, type ModelParams } from '../model-params.ts';

/** What was counted of all models, of all versions of one, or of one version. */
export function registerStatistics(app: FastifyInstance, { registry }: HttpDeps): void {
  app.get('/v2/models/stats', () => modelStats(registry.statistics()));
  for (const path of MODEL_PATHS) {
    app.get<{ Params: ModelParams }>(`${path}/stats`, ({ params }) =>
      modelStats(registry.statistics(params.model, params.version)),
    );
  }
}

function modelStats(all: readonly ServedStatistics[]): object {
  return { model_stats: all.map(toModelStat) };
}

function toModelStat({ served, statistics }: ServedStatistics): object {
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
function toResponseStats({ computeInfer, computeOutput, success, fail, cancel }: ModelStatistics): object {
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
}: Pick<BatchTotals, 'computeInput' | 'computeInfer' | 'computeOutput'>): object {
  return { compute_input: computeInput, compute_infer: computeInfer, compute_output: computeOutput };
}

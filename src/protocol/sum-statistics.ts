import type { BatchTotals, DurationTotal, ModelStatistics } from '../registry/statistics.ts';
import type { CountedModel } from './peers.ts';

/** What several processes counted of the same models, the first of them being asked for them: its order is kept. */
export function sumStatistics(all: readonly (readonly CountedModel[])[]): readonly CountedModel[] {
  const sums = new Map<string, CountedModel>();
  for (const { served, statistics } of all.flat()) {
    const key = JSON.stringify([served.name, served.version]);
    const before = sums.get(key);
    const { name, version } = served;
    sums.set(key, {
      served: { name, version },
      statistics: before === undefined ? statistics : add(before.statistics, statistics),
    });
  }
  return [...sums.values()];
}

function add(one: ModelStatistics, other: ModelStatistics): ModelStatistics {
  return {
    lastInferenceMs: Math.max(one.lastInferenceMs, other.lastInferenceMs),
    inferenceCount: one.inferenceCount + other.inferenceCount,
    executionCount: one.executionCount + other.executionCount,
    success: addTotals(one.success, other.success),
    fail: addTotals(one.fail, other.fail),
    cancel: addTotals(one.cancel, other.cancel),
    queue: addTotals(one.queue, other.queue),
    ...addCompute(one, other),
    cacheHit: addTotals(one.cacheHit, other.cacheHit),
    cacheMiss: addTotals(one.cacheMiss, other.cacheMiss),
    batches: addBatches(one.batches, other.batches),
  };
}

function addBatches(one: readonly BatchTotals[], other: readonly BatchTotals[]): readonly BatchTotals[] {
  const byRows = new Map(one.map((batch) => [batch.rows, batch]));
  for (const batch of other) {
    const before = byRows.get(batch.rows);
    const sum = before === undefined ? batch : { rows: batch.rows, ...addCompute(before, batch) };
    byRows.set(batch.rows, sum);
  }
  return [...byRows.values()].sort((a, b) => a.rows - b.rows);
}

type Compute = Pick<BatchTotals, 'computeInput' | 'computeInfer' | 'computeOutput'>;

function addCompute(one: Compute, other: Compute): Compute {
  return {
    computeInput: addTotals(one.computeInput, other.computeInput),
    computeInfer: addTotals(one.computeInfer, other.computeInfer),
    computeOutput: addTotals(one.computeOutput, other.computeOutput),
  };
}

function addTotals(one: DurationTotal, other: DurationTotal): DurationTotal {
  return { count: one.count + other.count, ns: one.ns + other.ns };
}

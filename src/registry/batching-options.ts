import type { BatchingChoice } from '../base/config/batching.ts';
import type { Target } from '../base/config/options.ts';
import { weightsOf } from '../model/target.ts';
import type { BatchingOptions } from '../policy/batching/contract.ts';
import { DEFAULT_QUEUE } from '../policy/batching/queue.ts';

/** What is wished of batching, and by whom. */
export interface BatchingWishes {
  /** Of nimify.yaml, variables and flags. */
  readonly choice: BatchingChoice;
  /** Of the model's own configuration, behind it. */
  readonly configured?: Partial<Omit<BatchingOptions, 'slots'>>;
  readonly target: Target;
  readonly objectiveMs?: number;
  /** Runs that the engine takes at once. */
  readonly slots: number;
  /** Is it proven, or forced, that rows leave each other alone? */
  readonly isBatchable: boolean;
}

/** What the batcher is told: what was chosen goes before what the model's configuration says. */
export function toBatchingOptions(wishes: BatchingWishes): BatchingOptions {
  const { choice, configured = {}, target, objectiveMs, slots, isBatchable } = wishes;
  const { throughput, latency } = weightsOf(target);
  const limits = typeof choice === 'string' ? {} : choice;
  const isJoined = isBatchable && choice !== 'off';
  const { maxBatchSize, maxDelayMs, preferredBatchSizes, preserveOrder, maxWaiting } = limits;
  const { priorityLevels, defaultPriority = priorityLevels } = limits;
  const base: BatchingOptions = {
    ...configured,
    slots,
    maxBatchRows: isJoined ? (maxBatchSize ?? configured.maxBatchRows ?? 'auto') : 1,
    weight: throughput / (throughput + latency),
  };
  return {
    ...base,
    ...(maxDelayMs === undefined ? {} : { maxDelayMs }),
    ...(preferredBatchSizes === undefined ? {} : { preferredRows: preferredBatchSizes }),
    ...(preserveOrder === undefined ? {} : { preserveOrder }),
    ...(objectiveMs === undefined ? {} : { objectiveMs }),
    ...(maxWaiting === undefined ? {} : { queue: { ...(base.queue ?? DEFAULT_QUEUE), maxWaiting } }),
    ...(priorityLevels === undefined || defaultPriority === undefined
      ? {}
      : { priorities: { levels: priorityLevels, defaultLevel: defaultPriority } }),
  };
}

import type { BatchingChoice } from '../base/config/batching.ts';
import { type Objective, objectiveText } from '../base/config/objective.ts';
import type { Target } from '../base/config/options.ts';
import { weightsOf } from '../model/target.ts';
import type { AdmissionOptions } from '../policy/admission/admission.ts';
import type { BatchingOptions, CostModel } from '../policy/batching/contract.ts';
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
  /** Rows that every run has to have. Absent: any number. */
  readonly paddedRows?: number;
}

/** What the batcher is told: what was chosen goes before what the model's configuration says. */
export function toBatchingOptions(wishes: BatchingWishes): BatchingOptions {
  const { choice, configured = {}, target, objectiveMs, slots, isBatchable, paddedRows } = wishes;
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
    ...(paddedRows === undefined ? {} : { paddedRows: [paddedRows] }),
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

/** Is a model of fixed batches to take requests of any number of rows? That changes its signature, so it is asked for. */
export function wantsPadding(choice: BatchingChoice, configured: BatchingWishes['configured']): boolean {
  const own = typeof choice === 'string' ? undefined : choice.maxBatchSize;
  return own !== undefined || configured?.maxBatchRows !== undefined;
}

/** So many may always be in flight where nobody said how soon they want their answers. */
const PATIENT = 256;
const MOST_ROWS = 256;

/** At least what keeps every slot busy; at most what may wait and run. */
export function inFlightLimits(options: BatchingOptions, costs: CostModel): AdmissionOptions {
  const { slots, maxBatchRows, objectiveMs, queue, queueByPriority = {} } = options;
  const mostRows = maxBatchRows === 'auto' ? MOST_ROWS : maxBatchRows;
  const waiting = [queue ?? DEFAULT_QUEUE, ...Object.values(queueByPriority)];
  const patience = objectiveMs === undefined ? PATIENT : 1;
  return {
    minLimit: () => Math.max(patience, slots * costs.efficientRows(0, mostRows) * 2),
    maxLimit: waiting.reduce((sum, { maxWaiting }) => sum + maxWaiting, slots * mostRows),
  };
}

/** Less is not left for reading requests and writing answers, the first of which take milliseconds. */
const LEAST_MS = 10;

/** An objective as it will be kept to. */
export interface KeepableObjective {
  readonly latencyMs: number;
  readonly note: string;
  /** For the log, where it is another than was asked for. */
  readonly says?: string;
}

/**
 * An objective that not even a request alone keeps to would have every request refused. What takes its place is
 * twice the time of a request alone: one that meets a run under way can still be answered.
 */
export function toKeepable(objective: Objective, costs: CostModel): KeepableObjective {
  const aloneMs = costs.p99Ns(0, 1) / 1e6;
  const wanted = objectiveText(objective);
  if (!Number.isFinite(aloneMs) || aloneMs <= objective.latencyMs)
    return { latencyMs: objective.latencyMs, note: wanted };
  const latencyMs = Math.max(LEAST_MS, Math.ceil(2 * aloneMs));
  const says =
    `${wanted} cannot be kept: 99 of 100 requests alone take up to ${aloneMs.toPrecision(2)} ms on this machine; ` +
    `requests have ${latencyMs} ms instead`;
  return { latencyMs, note: says, says };
}

import type { Clock } from '../base/util/clock.ts';
import type { RequestContext } from '../model/context.ts';
import type { InferRequest, InferResponse } from '../model/request.ts';
import type { Signature } from '../model/signature.ts';

/** How often something happened, and how long it took in all. */
export interface DurationTotal {
  readonly count: number;
  readonly ns: number;
}

/** Runs of one number of rows. */
export interface BatchTotals {
  readonly rows: number;
  readonly computeInput: DurationTotal;
  readonly computeInfer: DurationTotal;
  readonly computeOutput: DurationTotal;
}

/**
 * What a model has done since it was loaded, as Triton's statistics extension counts it
 * (server repository, docs/protocol/extension_statistics.md).
 */
export interface ModelStatistics {
  /** When the last request was answered, in milliseconds since 1970; 0: none was. */
  readonly lastInferenceMs: number;
  /** Rows that were answered; a request to a model without a batch axis is one. */
  readonly inferenceCount: number;
  /** Runs of the engine. */
  readonly executionCount: number;
  /** Requests that were answered, from their decoding on. */
  readonly success: DurationTotal;
  /** Requests that the model was asked and that ended otherwise, cancelled ones included. */
  readonly fail: DurationTotal;
  readonly cancel: DurationTotal;
  /** Waiting for a slot. */
  readonly queue: DurationTotal;
  /** Turning the request's bytes into tensors. */
  readonly computeInput: DurationTotal;
  /** Within the engine. */
  readonly computeInfer: DurationTotal;
  /** All else between the request's tensors and the answer's: to and from a thread or process, mostly. */
  readonly computeOutput: DurationTotal;
  readonly cacheHit: DurationTotal;
  readonly cacheMiss: DurationTotal;
  /** By rows. A run of more rows than the 1024th size that came is in the totals only. */
  readonly batches: readonly BatchTotals[];
}

export interface StatisticsRecorder {
  answered(fromNs: number, request: InferRequest, context: RequestContext, response: InferResponse): void;
  failed(fromNs: number, context: RequestContext, isCancelled: boolean): void;
  read(): ModelStatistics;
}

/** Places in the totals: a count, and behind it nanoseconds. */
const SUCCESS = 0;
const FAIL = 2;
const CANCEL = 4;
const QUEUE = 6;
const COMPUTE_INPUT = 8;
const COMPUTE_INFER = 10;
const COMPUTE_OUTPUT = 12;
const CACHE_HIT = 14;
const CACHE_MISS = 16;
const INFERENCES = 18;
const EXECUTIONS = 19;
const LAST_AT_NS = 20;
const TOTALS = 21;

/** Places in the totals of a number of rows: runs, and nanoseconds. */
const RUNS = 0;
const INPUT_NS = 1;
const INFER_NS = 2;
const OUTPUT_NS = 3;
const BATCH_TOTALS = 4;

const MOST_BATCH_SIZES = 1024;

/** Counts into typed arrays; nothing is allocated but when a number of rows comes for the first time. */
export function createStatistics(clock: Clock, { batchAxis }: Signature): StatisticsRecorder {
  const totals = new Float64Array(TOTALS);
  const placeOf = new Map<number, number>();
  let batches = new Float64Array(8 * BATCH_TOTALS);

  function add(place: number, ns: number): void {
    totals[place]! += 1;
    totals[place + 1]! += ns;
  }

  function rowsOf({ inputs }: InferRequest): number {
    return batchAxis === 0 ? (inputs[0]?.shape[0] ?? 1) : 1;
  }

  /** Undefined: there are too many sizes already. */
  function placeOfBatch(rows: number): number | undefined {
    const known = placeOf.get(rows);
    if (known !== undefined || placeOf.size === MOST_BATCH_SIZES) return known;
    const place = placeOf.size * BATCH_TOTALS;
    placeOf.set(rows, place);
    if (place === batches.length) {
      const larger = new Float64Array(batches.length * 2);
      larger.set(batches);
      batches = larger;
    }
    return place;
  }

  /** @param share of the run that was this request's: the requests of a batch add up to one run */
  function addRun(
    batchRows: number,
    share: number,
    inputNs: number,
    inferNs: number,
    outputNs: number,
  ): void {
    totals[EXECUTIONS]! += share;
    const place = placeOfBatch(batchRows);
    if (place === undefined) return;
    batches[place + RUNS]! += share;
    batches[place + INPUT_NS]! += inputNs;
    batches[place + INFER_NS]! += inferNs * share;
    batches[place + OUTPUT_NS]! += outputNs;
  }

  function total(place: number): DurationTotal {
    return { count: totals[place]!, ns: Math.round(totals[place + 1]!) };
  }

  function readBatch(rows: number, place: number): BatchTotals {
    const count = Math.round(batches[place + RUNS]!);
    const of = (at: number) => ({ count, ns: Math.round(batches[place + at]!) });
    return {
      rows,
      computeInput: of(INPUT_NS),
      computeInfer: of(INFER_NS),
      computeOutput: of(OUTPUT_NS),
    };
  }

  return {
    answered(fromNs, request, { phases }, { report }) {
      const nowNs = clock.nowNs();
      const { decodeNs, queueNs } = phases;
      const { cache, computeNs } = report;
      totals[LAST_AT_NS] = nowNs;
      add(SUCCESS, nowNs - fromNs + decodeNs);
      add(QUEUE, queueNs);
      const restNs = Math.max(0, nowNs - fromNs - queueNs - computeNs);
      if (cache === 'hit') {
        add(CACHE_HIT, restNs);
        return;
      }
      if (cache === 'miss') add(CACHE_MISS, 0);
      const rows = rowsOf(request);
      const { batchRows = rows } = report;
      totals[INFERENCES]! += rows;
      add(COMPUTE_INPUT, decodeNs);
      add(COMPUTE_INFER, computeNs);
      add(COMPUTE_OUTPUT, restNs);
      addRun(batchRows, batchRows > rows ? rows / batchRows : 1, decodeNs, computeNs, restNs);
    },
    failed(fromNs, { phases }, isCancelled) {
      const ns = clock.nowNs() - fromNs + phases.decodeNs;
      add(FAIL, ns);
      if (isCancelled) add(CANCEL, ns);
    },
    read() {
      const sinceLastMs = (clock.nowNs() - totals[LAST_AT_NS]!) / 1e6;
      return {
        lastInferenceMs: totals[SUCCESS] === 0 ? 0 : Math.round(clock.wallMs() - sinceLastMs),
        inferenceCount: totals[INFERENCES]!,
        executionCount: Math.round(totals[EXECUTIONS]!),
        success: total(SUCCESS),
        fail: total(FAIL),
        cancel: total(CANCEL),
        queue: total(QUEUE),
        computeInput: total(COMPUTE_INPUT),
        computeInfer: total(COMPUTE_INFER),
        computeOutput: total(COMPUTE_OUTPUT),
        cacheHit: total(CACHE_HIT),
        cacheMiss: total(CACHE_MISS),
        batches: [...placeOf].sort(([a], [b]) => a - b).map(([rows, place]) => readBatch(rows, place)),
      };
    },
  };
}

import { elementCount } from '../../base/tensor/tensor.ts';
import type { InferRequest } from '../../model/request.ts';
import type { BatchAxis } from '../../model/signature.ts';
import type { CostModel, ShapeClass } from './contract.ts';
import { createHeap } from './heap.ts';
import type { Lane, Ticket } from './ticket.ts';

export interface Lanes {
  /** The lane of a request. Its rows are `rowsOf` it where the lane has rows, else it counts as one. */
  find(request: InferRequest): Lane;
  /** All that were found so far, if they are few; else none. */
  readonly few: readonly Lane[];
}

/** Classes that are remembered; the one that was not asked for longest gives its number to the next. */
const MOST_LANES = 1024;

/** More are too many to be looked at for every request. */
const FEW = 8;

/** Number of rows that all inputs agree on; 0: there is none. */
export function rowsOf({ inputs }: InferRequest): number {
  const rows = inputs[0]?.shape[0] ?? 0;
  for (let at = 1; at < inputs.length; at++) if (inputs[at]!.shape[0] !== rows) return 0;
  return rows;
}

/** Sorts requests into shape classes. Most requests are like the one before, so that is looked at first. */
export function createLanes(batchAxis: BatchAxis, costs: Pick<CostModel, 'introduce'>): Lanes {
  const lanes = new Map<string, Lane>();
  let few: readonly Lane[] = [];
  let last: { readonly lane: Lane; readonly like: InferRequest } | undefined;

  function lookUp(request: InferRequest, hasRows: boolean): Lane {
    const key = keyOf(request, hasRows);
    let lane = lanes.get(key);
    if (lane === undefined) {
      lane = createLane(nextShape(), hasRows);
      costs.introduce?.(lane.shape, elementsPerRow(request, hasRows));
    } else lanes.delete(key);
    // Anew, so that the map is in order of use.
    lanes.set(key, lane);
    if (!few.includes(lane)) few = lanes.size <= FEW ? [...lanes.values()] : [];
    last = { lane, like: withoutData(request) };
    return lane;
  }

  function nextShape(): ShapeClass {
    if (lanes.size < MOST_LANES) return lanes.size;
    for (const [key, lane] of lanes) {
      if (lane.waiting.size > 0) continue;
      lanes.delete(key);
      return lane.shape;
    }
    return lanes.size;
  }

  return {
    find(request) {
      const hasRows = batchAxis === 0 && rowsOf(request) > 0;
      if (last?.lane.hasRows === hasRows && isLike(request, last.like, hasRows ? 1 : 0)) return last.lane;
      return lookUp(request, hasRows);
    },
    get few() {
      return few;
    },
  };
}

function createLane(shape: ShapeClass, hasRows: boolean): Lane {
  return {
    ...{ shape, hasRows, joins: hasRows, waiting: createHeap<Ticket>(), rows: 0 },
    ...{ key: 0, order: 0, place: -1 },
    ...{
      cappedRows: Number.POSITIVE_INFINITY,
      largestRun: 0,
      runs: 0,
      lastRunAtNs: Number.NEGATIVE_INFINITY,
    },
    ...{ mostRows: 1, rowNs: 0, lookUpAtRun: 0, lookUps: 0, gathers: false, gathersSince: -1 },
  };
}

function elementsPerRow({ inputs }: InferRequest, hasRows: boolean): number {
  let sum = 0;
  for (const { shape } of inputs) sum += elementCount(hasRows ? shape.slice(1) : shape);
  return sum;
}

/** Without its elements, of which there may be many, and its owner. */
function withoutData(request: InferRequest): InferRequest {
  const inputs = request.inputs.map((input) => ({ ...input, data: NO_DATA }));
  return { ...request, inputs, parameters: {} };
}

const NO_DATA = new Uint8Array(0);

/** @param fromAxis 1: rows may differ */
function isLike(request: InferRequest, like: InferRequest, fromAxis: 0 | 1): boolean {
  const { inputs, outputs } = request;
  if (inputs.length !== like.inputs.length) return false;
  if (outputs !== like.outputs && !areSame(outputs ?? NONE, like.outputs ?? NONE, 0)) return false;
  for (let at = 0; at < inputs.length; at++) {
    const input = inputs[at]!;
    const other = like.inputs[at]!;
    if (input.name !== other.name || input.datatype !== other.datatype) return false;
    if (!areSame(input.shape, other.shape, fromAxis)) return false;
  }
  return true;
}

const NONE: readonly string[] = [];

function areSame<Value>(one: readonly Value[], other: readonly Value[], from: number): boolean {
  if (one.length !== other.length) return false;
  for (let at = from; at < one.length; at++) if (one[at] !== other[at]) return false;
  return true;
}

function keyOf({ inputs, outputs }: InferRequest, hasRows: boolean): string {
  const shapes = inputs.map(({ name, datatype, shape }) => [
    name,
    datatype,
    hasRows ? shape.slice(1) : shape,
  ]);
  return JSON.stringify([hasRows, shapes, outputs ?? NONE]);
}

/** Runs after which a lane is looked at anew: few at first, then that many. */
const LOOK_UP_EVERY = 16;
/** Every so many of them larger runs are tried, in case they are worth while after all, and then for so many runs. */
const TRY_EVERY = 4;
const TRY_RUNS = 2;
/** Every so many of them what was too much may be doubled. */
const UNCAP_EVERY = 16;
/** How far beyond the largest run so far the next may go, and what counts as run at first. */
const STRIDE = 2;
const FIRST_ROWS = 2;
/** Where the best size is above this part of the largest run so far, a larger one may be better still. */
const NEAR_LARGEST = 0.75;

/** What is fixed beforehand of `mostRows`. */
export interface RowLimits {
  /** Absent: where larger runs gain nothing more. */
  readonly fixed: number | undefined;
  readonly most: number;
}

/**
 * Most rows to join. What has never been tried cannot be known to gain nothing, so that a lane whose largest run was
 * among the best so far may double it; nor can it be known to do no harm, so that runs grow by steps, and where the
 * last step gained nothing no further: a line through few sizes would go on promising.
 */
export function lookUpMost(lane: Lane, costs: CostModel, { fixed, most }: RowLimits): number {
  if (lane.runs < lane.lookUpAtRun) return lane.mostRows;
  const { shape, largestRun, runs } = lane;
  let isTry = false;
  if (!lane.joins) lane.mostRows = 1;
  else if (fixed !== undefined) lane.mostRows = Math.min(fixed, most);
  else {
    const known = Math.max(largestRun, costs.knownRows?.(shape) ?? 0, FIRST_ROWS);
    const best = Math.max(1, costs.efficientRows(shape, Math.min(most, known)));
    isTry = best <= NEAR_LARGEST * known && lane.lookUps % TRY_EVERY === 0;
    const grows = best > NEAR_LARGEST * known || isTry;
    lane.mostRows = Math.min(most, grows ? STRIDE * best : best);
  }
  if (lane.lookUps % UNCAP_EVERY === UNCAP_EVERY - 1) lane.cappedRows *= 2;
  lane.mostRows = Math.min(lane.mostRows, lane.cappedRows);
  const runNs = costs.typicalNs(shape, lane.mostRows);
  const isKnown = runNs < Number.POSITIVE_INFINITY;
  lane.rowNs = isKnown ? runNs / lane.mostRows : 0;
  // Nothing is known before the first run: look again then.
  lane.lookUpAtRun = isKnown ? runs + (isTry ? TRY_RUNS : Math.min(LOOK_UP_EVERY, 1 + (runs >> 2))) : runs;
  lane.lookUps += 1;
  return lane.mostRows;
}

/** A run of this many rows failed, of which the parts did not: too much for the engine's memory, most likely. */
export function capRows(lane: Lane, rows: number): void {
  lane.cappedRows = Math.max(1, Math.min(lane.cappedRows, rows >> 1));
  lane.lookUpAtRun = lane.runs;
}

/** Whatever was said of its rows, they do not come out as they went in. */
export function stopJoining(lane: Lane): void {
  lane.joins = false;
  lane.lookUpAtRun = lane.runs;
}

/** A run of this many rows begins. */
export function noteRun(lane: Lane, rows: number): void {
  lane.runs += 1;
  if (rows <= lane.largestRun) return;
  lane.largestRun = rows;
  lane.lookUpAtRun = lane.runs;
}

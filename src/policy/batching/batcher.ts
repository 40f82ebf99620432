import type { NimifyError } from '../../base/errors/nimify-error.ts';
import { NEVER_CANCELLED } from '../../base/util/cancel.ts';
import type { Clock } from '../../base/util/clock.ts';
import type { RequestContext } from '../../model/context.ts';
import type { Model } from '../../model/contract.ts';
import type { InferRequest, InferResponse } from '../../model/request.ts';
import { createCaution } from './caution.ts';
import type {
  Arrivals,
  BatchingInstruments,
  BatchingOptions,
  BatchingRefusal,
  CostModel,
} from './contract.ts';
import { createDispatcher } from './dispatcher.ts';
import { type Asked, createGate } from './gate.ts';
import { createLanes, lookUpMost, type RowLimits, rowsOf } from './lanes.ts';
import { createOutlook } from './outlook.ts';
import { createPaddedCosts } from './padded-costs.ts';
import { enterPieces, type Piece } from './pieces.ts';
import { createPressure } from './pressure.ts';
import { createQueue } from './queue.ts';
import { cancelled, expired, nothingToFill, notReady } from './refusals.ts';
import { createRuns } from './runs.ts';
import { createSlots } from './slots.ts';
import type { Lane, Ticket } from './ticket.ts';
import { createTurns } from './turns.ts';

export interface BatcherDeps {
  readonly model: Model;
  readonly clock: Clock;
  readonly costs: CostModel;
  readonly arrivals: Arrivals;
  readonly instruments: BatchingInstruments | undefined;
  readonly soon: (callback: () => void) => void;
  readonly timerStepNs: number;
}

/** Lets requests in: straight to the model where nothing is to be gained by waiting, else to the queue. */
export interface Batcher {
  infer(request: InferRequest, context: RequestContext): Promise<InferResponse>;
  inferNow(request: InferRequest, context: RequestContext): InferResponse | undefined;
  /** As `Model.turnAway`. */
  turnAway(context: RequestContext, isPlain: () => boolean): NimifyError | undefined;
  /** Takes no more. Settles when nobody waits or runs any more, at most after `graceMs`. */
  drain(graceMs: number): Promise<void>;
}

/** Most rows of a run where nobody says how many. */
const MOST_ROWS = 256;
/** Requests that their mean number of rows reaches back. */
const ROWS_MEMORY = 64;

/** What a request brings to the queue. */
interface Newcomer extends Asked {
  readonly request: InferRequest;
  readonly context: RequestContext;
}

export function createBatcher(deps: BatcherDeps, options: BatchingOptions): Batcher {
  const { model, clock, arrivals, instruments, soon } = deps;
  const { maxDelayMs = 0, priorities, objectiveMs } = options;
  const { levels, defaultLevel } = priorities ?? { levels: 1, defaultLevel: 1 };
  const objectiveNs = objectiveMs === undefined ? undefined : objectiveMs * 1e6;
  const paddedRows = [...(options.paddedRows ?? [])].sort((one, other) => one - other);
  const isPadded = paddedRows.length > 0;
  const costs = isPadded ? createPaddedCosts(deps.costs, paddedRows) : deps.costs;
  const limits = limitsOf(options.maxBatchRows, paddedRows);
  const splitAbove = paddedRows.at(-1) ?? splitOpenAbove(limits);
  const isInline = model.inferNow !== undefined;
  /** Never within the call that asks: runs have to be filled up, or somebody wants them to wait. */
  const mayBeNow = isInline && !isPadded && maxDelayMs === 0;

  const lanes = createLanes(isPadded ? 0 : model.signature.batchAxis, costs);
  const slots = createSlots(options.slots);
  const turns = createTurns(soon);
  const pressure = createPressure();
  const caution = createCaution();
  const queue = createQueue({
    levels,
    objectiveNs,
    queue: options.queue,
    queueByPriority: options.queueByPriority,
  });
  const gate = createGate({ clock, queue, slots, costs, pressure, caution, told, isInline });
  const outlook = createOutlook({ costs, arrivals, slots, queue, isInline }, options);
  const dispatcher = createDispatcher({
    name: model.name,
    clock,
    costs,
    queue,
    slots,
    limits,
    isInline,
    soon,
    outlook,
    told,
    pressure,
    caution,
    timerStepNs: deps.timerStepNs,
    startRuns: (hooks) =>
      createRuns({ model, clock, costs, arrivals, slots, instruments, paddedRows, ...hooks }),
  });
  const { runs } = dispatcher;
  let order = 0;
  let meanRows = 1;
  let isClosing = false;

  function infer(request: InferRequest, context: RequestContext): Promise<InferResponse> {
    const nowNs = clock.nowNs();
    const refusal = refusalOf(context, nowNs);
    if (refusal !== undefined) return Promise.reject(refusal);
    const lane = lanes.find(request);
    if (isPadded && !lane.hasRows) return Promise.reject(nothingToFill(request));
    const rows = lane.hasRows ? rowsOf(request) : 1;
    const { rowsPerNs } = outlook;
    arrivals.observe(nowNs, rows);
    meanRows += (rows - meanRows) / ROWS_MEMORY;
    turns.arrived(rows);
    lookUpMost(lane, costs, limits);
    const deadlineAtNs = deadlineOf(context, nowNs);
    if (mayPass(lane, rows, request, deadlineAtNs, nowNs)) {
      pressure.decided(false);
      pressure.ran(1);
      return runs.pass(lane, rows, request, context, nowNs);
    }
    const level = levelOf(context);
    const key = queue.keyOf(level, nowNs, deadlineAtNs);
    return enter({ lane, rows, request, context, deadlineAtNs, level, key, nowNs, rowsPerNs });
  }

  function inferNow(request: InferRequest, context: RequestContext): InferResponse | undefined {
    if (isClosing) throw notReady(model.name);
    if (context.cancel.cancelled) throw told('cancelled', cancelled(context.cancel));
    // Past those who wait: their runs come in this turn of the event loop all the same. Levels are for the queue to tell.
    if (!mayBeNow || (levels > 1 && !dispatcher.isIdle)) return undefined;
    const lane = lanes.find(request);
    const rows = lane.hasRows ? rowsOf(request) : 1;
    lookUpMost(lane, costs, limits);
    if (rows > splitAbove || turns.pays(lane, costs)) return undefined;
    const response = model.inferNow!(request, context);
    if (response === undefined) return undefined;
    turns.arrived(rows);
    runs.ran(lane, rows, 1);
    costs.observe(lane.shape, rows, response.report.computeNs);
    return response;
  }

  /** By the least that a request can be. One of a class that never came is not known, and is treated like the others. */
  function turnAway(context: RequestContext, isPlain: () => boolean): NimifyError | undefined {
    if (isClosing || slots.free > 0 || lanes.few.length === 0) return undefined;
    const nowNs = clock.nowNs();
    const deadlineAtNs = deadlineOf(context, nowNs);
    if (deadlineAtNs <= nowNs) return undefined;
    const level = levelOf(context);
    const key = queue.keyOf(level, nowNs, deadlineAtNs);
    const { rowsPerNs } = outlook;
    let why: (() => NimifyError) | undefined;
    for (const lane of lanes.few) {
      lookUpMost(lane, costs, limits);
      why = gate.refusal({ lane, rows: 1, level, key, deadlineAtNs, nowNs, rowsPerNs });
      if (why === undefined) return undefined;
    }
    if (why === undefined || !isPlain()) return undefined;
    arrivals.observe(nowNs, meanRows);
    pressure.decided(true);
    return why();
  }

  /** Why a request does not even come to the queue. */
  function refusalOf({ cancel, deadlineAtNs }: RequestContext, nowNs: number): NimifyError | undefined {
    if (isClosing) return notReady(model.name);
    if (cancel.cancelled) return told('cancelled', cancelled(cancel));
    return deadlineAtNs <= nowNs ? told('expired', expired(0)) : undefined;
  }

  function told(why: BatchingRefusal, error: NimifyError): NimifyError {
    instruments?.refused(why);
    return error;
  }

  function deadlineOf({ deadlineAtNs }: RequestContext, nowNs: number): number {
    const isOpen = deadlineAtNs === Number.POSITIVE_INFINITY && objectiveNs !== undefined;
    return isOpen ? nowNs + objectiveNs : deadlineAtNs;
  }

  function levelOf({ priority }: RequestContext): number {
    return Math.min(levels, priority === 0 ? defaultLevel : priority);
  }

  /** A slot is free, nobody waits, and there is nothing to wait for: the model may have the request as it is. */
  function mayPass(
    lane: Lane,
    rows: number,
    request: InferRequest,
    deadlineAtNs: number,
    nowNs: number,
  ): boolean {
    if (!dispatcher.isIdle || rows > splitAbove || (isPadded && !paddedRows.includes(rows))) return false;
    if (isInline && turns.pays(lane, costs)) return false;
    const isOpen = deadlineAtNs === Number.POSITIVE_INFINITY;
    if (!isOpen && costs.p99Ns(lane.shape, rows) > deadlineAtNs - nowNs) return false;
    const joins = lane.joins && request.sequence === undefined;
    if (!joins) return true;
    return outlook.worthWaitingNs(lane, rows, lane.mostRows, { deadlineAtNs, sinceNs: nowNs }, nowNs) <= 0;
  }

  function enter(newcomer: Newcomer): Promise<InferResponse> {
    const { rows, request } = newcomer;
    const why = gate.refusal(newcomer);
    pressure.decided(why !== undefined);
    if (why !== undefined) return Promise.reject(why());
    const answer =
      rows > splitAbove
        ? enterPieces(request, rows, splitAbove, (piece) => push(newcomer, piece), dispatcher.withdraw)
        : new Promise<InferResponse>((resolve, reject) => {
            push(newcomer, { request, isFirst: true, resolve, reject });
          });
    dispatcher.wake();
    return answer;
  }

  function push(newcomer: Newcomer, { request, isFirst, resolve, reject }: Piece): Ticket {
    const { lane, context, deadlineAtNs, level, key, nowNs } = newcomer;
    // Field by field, here and wherever requests pass: an object put together from spread parts takes many times as long.
    const ticket: Ticket = {
      request,
      context,
      lane,
      rows: lane.hasRows ? rowsOf(request) : 1,
      joins: lane.joins && request.sequence === undefined,
      level,
      sinceNs: nowNs,
      deadlineAtNs,
      counts: isFirst,
      key,
      order: order++,
      place: -1,
      workNs: 0,
      bucket: 0,
      expiry: undefined,
      run: undefined,
      trial: undefined,
      isSettled: false,
      onCancel: undefined,
      resolve,
      reject,
    };
    if (context.cancel !== NEVER_CANCELLED) {
      ticket.onCancel = () => dispatcher.withdraw(ticket, told('cancelled', cancelled(context.cancel)));
      context.cancel.on(ticket.onCancel);
    }
    queue.push(ticket, Math.min(deadlineAtNs, queueTimeoutAtNs(ticket)));
    return ticket;
  }

  function queueTimeoutAtNs({ level, sinceNs, request }: Ticket): number {
    const { defaultTimeoutMs, allowTimeoutOverride } = queue.policyOf(level);
    if (defaultTimeoutMs === undefined) return Number.POSITIVE_INFINITY;
    const { timeout } = request.parameters;
    const isNamed = allowTimeoutOverride && typeof timeout === 'number' && timeout > 0;
    const limitNs = defaultTimeoutMs * 1e6;
    return sinceNs + (isNamed ? Math.min(limitNs, timeout * 1000) : limitNs);
  }

  return {
    infer,
    inferNow,
    turnAway,
    drain(graceMs) {
      isClosing = true;
      return dispatcher.drain(graceMs);
    },
  };
}

/** Where nothing is joined nothing is split either. */
function splitOpenAbove({ most }: RowLimits): number {
  return most === 1 ? Number.POSITIVE_INFINITY : most;
}

function limitsOf(maxBatchRows: number | 'auto', paddedRows: readonly number[]): RowLimits {
  const fixed = maxBatchRows === 'auto' ? undefined : maxBatchRows;
  return { fixed, most: Math.min(fixed ?? MOST_ROWS, paddedRows.at(-1) ?? Number.POSITIVE_INFINITY) };
}

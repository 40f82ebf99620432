import { NimifyError, toNimifyError } from '../../base/errors/nimify-error.ts';
import { createCancelSource } from '../../base/util/cancel.ts';
import type { Clock } from '../../base/util/clock.ts';
import { createContext, type RequestContext } from '../../model/context.ts';
import type { Model } from '../../model/contract.ts';
import type { InferRequest, InferResponse } from '../../model/request.ts';
import type { Arrivals, BatchingInstruments, CostModel } from './contract.ts';
import { createJoinBuffers, cutOutputs, joinRequests, rowsOfCuts, shareOwner } from './join.ts';
import { capRows, noteRun, stopJoining } from './lanes.ts';
import type { Slots } from './slots.ts';
import { type Lane, refuse, settle, type Ticket, type TicketRun } from './ticket.ts';

/** Failures that may be one request's alone: the run is tried again in halves. */
const MAY_BE_ONES: ReadonlySet<string> = new Set(['INVALID_INPUT', 'ENGINE_FAILED', 'ENGINE_CRASHED']);

export interface RunsDeps {
  readonly model: Model;
  readonly clock: Clock;
  readonly costs: CostModel;
  readonly arrivals: Arrivals;
  readonly slots: Slots;
  readonly instruments: BatchingInstruments | undefined;
  /** Sizes of runs, smallest first; empty: any. */
  readonly paddedRows: readonly number[];
  /** A slot is free again. */
  readonly onFree: () => void;
  /** A run failed and these are to be run again, before all others. */
  readonly again: (tickets: readonly Ticket[]) => void;
}

/** Runs requests, alone or joined, and gives each its own answer. */
export interface Runs {
  /** On a free slot; a run on the main thread may be over when it returns. False: it is, and took no slot. */
  start(tickets: readonly Ticket[], nowNs: number): boolean;
  /** The very request, on a free slot; whatever wraps the model hears of it as if there were no batcher. */
  pass(
    lane: Lane,
    rows: number,
    request: InferRequest,
    context: RequestContext,
    nowNs: number,
  ): Promise<InferResponse>;
  /** Notes a run that was asked of the model past this. */
  ran(lane: Lane, rows: number, requests: number): void;
}

interface Run extends TicketRun {
  readonly tickets: readonly Ticket[];
  readonly lane: Lane;
  readonly rows: number;
  /** With what was added to fill it up. */
  readonly runRows: number;
  readonly request: InferRequest;
  readonly context: RequestContext;
  /** The only ticket's own request. */
  readonly isAlone: boolean;
  readonly startedNs: number;
  live: number;
}

export function createRuns(deps: RunsDeps): Runs {
  const { model, clock, costs, arrivals, slots, instruments, paddedRows } = deps;
  const isInline = model.inferNow !== undefined;
  const buffers = isInline ? createJoinBuffers() : undefined;
  /** Slots whose last run was cancelled: the engine may still be at it, so that the next one takes longer there. */
  const mayBeHeld = new Uint8Array(slots.count);

  function ran(lane: Lane, rows: number, requests: number): void {
    noteRun(lane, rows);
    instruments?.ran(rows, requests);
  }

  function take(lane: Lane, runRows: number, nowNs: number): number {
    return slots.take(nowNs, costs.typicalNs(lane.shape, runRows));
  }

  function release(slot: number, failure: unknown): void {
    mayBeHeld[slot] = isCancellation(failure) ? 1 : 0;
    slots.release(slot);
  }

  /** Where runs hold up the event loop, what they take is what the engine says; else it is the whole way there and back. */
  function learn(
    lane: Lane,
    rows: number,
    runRows: number,
    startedNs: number,
    slot: number,
    response: InferResponse,
  ): void {
    const nowNs = clock.nowNs();
    lane.lastRunAtNs = nowNs;
    arrivals.answered?.(nowNs, rows);
    if (slot >= 0 && mayBeHeld[slot] === 1) return;
    costs.observe(lane.shape, runRows, isInline ? response.report.computeNs : nowNs - startedNs);
  }

  function runRowsOf(rows: number): number {
    for (const size of paddedRows) if (size >= rows) return size;
    return rows;
  }

  function prepare(tickets: readonly Ticket[], nowNs: number): Run {
    const first = tickets[0]!;
    let rows = 0;
    for (const ticket of tickets) rows += ticket.rows;
    const runRows = first.lane.hasRows ? runRowsOf(rows) : rows;
    const isAlone = tickets.length === 1 && runRows === rows;
    const cancel = isAlone ? undefined : createCancelSource();
    const run: Run = {
      tickets,
      lane: first.lane,
      rows,
      runRows,
      isAlone,
      startedNs: nowNs,
      request: isAlone ? first.request : joinRequests(tickets, rows, runRows, buffers),
      context:
        cancel === undefined ? first.context : createContext({ cancel, deadlineAtNs: latest(tickets) }),
      live: tickets.length,
      leave({ context }) {
        run.live -= 1;
        if (run.live === 0) cancel?.cancel(context.cancel.reason ?? 'client-left');
      },
    };
    for (const ticket of tickets) ticket.run = run;
    return run;
  }

  function start(tickets: readonly Ticket[], nowNs: number): boolean {
    const run = prepare(tickets, nowNs);
    ran(run.lane, run.rows, tickets.length);
    if (isInline && startNow(run)) return false;
    const slot = take(run.lane, run.runRows, nowNs);
    ask(run.request, run.context).then(
      (response) => {
        learn(run.lane, run.rows, run.runRows, run.startedNs, slot, response);
        release(slot, undefined);
        finish(run, response);
        deps.onFree();
      },
      (failure) => {
        release(slot, failure);
        fail(run, toNimifyError(failure));
        deps.onFree();
      },
    );
    return true;
  }

  /** Within this call, where the model does that. */
  function startNow(run: Run): boolean {
    let response: InferResponse | undefined;
    try {
      response = model.inferNow!(run.request, run.context);
    } catch (failure) {
      fail(run, toNimifyError(failure));
      return true;
    }
    if (response === undefined) return false;
    learn(run.lane, run.rows, run.runRows, run.startedNs, -1, response);
    finish(run, response);
    return true;
  }

  function ask(request: InferRequest, context: RequestContext): Promise<InferResponse> {
    try {
      return model.infer(request, context);
    } catch (failure) {
      return Promise.reject(failure);
    }
  }

  /** Each of a run that failed has been answered since: none of them was at fault. */
  function clear(ticket: Ticket): void {
    const { trial, lane } = ticket;
    if (trial === undefined) return;
    trial.left -= 1;
    if (trial.left === 0) capRows(lane, trial.rows);
  }

  function finish(run: Run, response: InferResponse): void {
    for (const ticket of run.tickets) clear(ticket);
    if (run.isAlone) {
      const ticket = run.tickets[0]!;
      ticket.context.phases.queueNs += run.startedNs - ticket.sinceNs;
      if (!settle(ticket, response)) response.owner.release();
      return;
    }
    const cuts = cutOutputs(response, run.runRows);
    if (cuts === undefined) {
      response.owner.release();
      stopJoining(run.lane);
      fail(run, rowsMissing(model.name));
      return;
    }
    if (run.live === 0) {
      response.owner.release();
      run.request.owner.release();
      return;
    }
    const owner = shareOwner(run.live, response, run.request);
    const report = { ...response.report, batchRows: run.rows };
    let from = 0;
    for (const ticket of run.tickets) {
      if (!ticket.isSettled) {
        const { phases } = ticket.context;
        phases.queueNs = run.startedNs - ticket.sinceNs;
        phases.computeNs = report.computeNs;
        const { id } = ticket.request;
        settle(ticket, {
          model: response.model,
          version: response.version,
          id,
          outputs: rowsOfCuts(cuts, from, ticket.rows),
          parameters: response.parameters,
          report,
          owner,
        });
      }
      from += ticket.rows;
    }
  }

  function fail(run: Run, error: NimifyError): void {
    if (!run.isAlone) run.request.owner.release();
    const live = run.tickets.filter(({ isSettled }) => !isSettled);
    for (const ticket of live) ticket.run = undefined;
    // Of several, though one only may be left: the fault may be in another that has left since.
    if (run.tickets.length > 1 && MAY_BE_ONES.has(error.code)) {
      const trial = { rows: run.rows, left: live.length };
      if (error.code !== 'INVALID_INPUT') for (const ticket of live) ticket.trial ??= trial;
      const half = live.length >> 1;
      if (half > 0) deps.again(live.slice(0, half));
      if (live.length > 0) deps.again(live.slice(half));
      return;
    }
    for (const ticket of live) refuse(ticket, error);
  }

  return {
    start,
    ran,
    pass(lane, rows, request, context, nowNs) {
      ran(lane, rows, 1);
      const slot = take(lane, rows, nowNs);
      const answer = ask(request, context);
      answer.then(
        (response) => {
          learn(lane, rows, rows, nowNs, slot, response);
          release(slot, undefined);
          deps.onFree();
        },
        (failure) => {
          release(slot, failure);
          deps.onFree();
        },
      );
      return answer;
    },
  };
}

function latest(tickets: readonly Ticket[]): number {
  let deadlineAtNs = 0;
  for (const ticket of tickets) deadlineAtNs = Math.max(deadlineAtNs, ticket.deadlineAtNs);
  return deadlineAtNs;
}

function isCancellation(failure: unknown): boolean {
  return (
    failure instanceof NimifyError && (failure.code === 'CANCELLED' || failure.code === 'DEADLINE_EXCEEDED')
  );
}

function rowsMissing(name: string): NimifyError {
  return new NimifyError(
    'ENGINE_FAILED',
    `'${name}' was given rows of several requests and answered with another number of rows; they are run by themselves from now on`,
  );
}

import type { NimifyError } from '../../base/errors/nimify-error.ts';
import type { Clock, Timer } from '../../base/util/clock.ts';
import type { Caution } from './caution.ts';
import type { BatchingRefusal, CostModel } from './contract.ts';
import { createHold } from './hold.ts';
import { lookUpMost, type RowLimits } from './lanes.ts';
import type { Outlook } from './outlook.ts';
import { takeRun } from './pick.ts';
import { type Plan, planRun } from './plan-run.ts';
import type { Pressure } from './pressure.ts';
import type { Queue } from './queue.ts';
import { expired, notReady, tooLate, waitedTooLong } from './refusals.ts';
import type { Runs } from './runs.ts';
import type { Slots } from './slots.ts';
import { type Lane, refuse, type Ticket } from './ticket.ts';

export interface DispatcherDeps {
  readonly name: string;
  readonly clock: Clock;
  readonly costs: CostModel;
  readonly queue: Queue;
  readonly slots: Slots;
  readonly limits: RowLimits;
  readonly pressure: Pressure;
  readonly caution: Caution;
  /** Runs hold up the event loop: what arrives in one turn of it is put together. */
  readonly isInline: boolean;
  readonly soon: (callback: () => void) => void;
  readonly timerStepNs: number;
  readonly outlook: Outlook;
  /** An answer that was given without a run. */
  told(why: BatchingRefusal, error: NimifyError): NimifyError;
  startRuns(hooks: RunHooks): Runs;
}

interface RunHooks {
  readonly onFree: () => void;
  readonly again: (tickets: readonly Ticket[]) => void;
}

/** Gives free slots to those who wait. */
export interface Dispatcher {
  readonly runs: Runs;
  /** A slot is free and nobody waits. */
  readonly isIdle: boolean;
  /** The queue has changed. */
  wake(): void;
  /** Takes a ticket out of the queue or out of its run. */
  withdraw(ticket: Ticket, error: NimifyError): void;
  /** Runs what waits without waiting for more. Settles when nobody is left, at most after `graceMs`. */
  drain(graceMs: number): Promise<void>;
}

export function createDispatcher(deps: DispatcherDeps): Dispatcher {
  const {
    name,
    clock,
    costs,
    queue,
    slots,
    limits,
    isInline,
    soon,
    timerStepNs,
    told,
    pressure,
    caution,
    outlook,
  } = deps;
  /** Parts of runs that failed: before all others. */
  const retries: (readonly Ticket[])[] = [];
  const runs = deps.startRuns({ onFree: wake, again: (tickets) => void retries.push(tickets) });
  const hold = createHold({ soon, timerStepNs, arrivals: () => queue.arrivals, onTurnEnd: dispatch });
  let isDraining = false;
  let whenEmpty: (() => void) | undefined;
  let timer: Timer | undefined;
  let timerAtNs = Number.POSITIVE_INFINITY;

  /** Inline, a turn of the loop first brings what came in while it was held up. */
  function wake(): void {
    if (isInline && slots.free > 0 && hasWaiting()) hold.openTurn();
    else dispatch();
  }

  function hasWaiting(): boolean {
    return queue.size > 0 || retries.length > 0;
  }

  function dispatch(): void {
    while (slots.free > 0 && !hold.isTurnOpen) {
      const nowNs = clock.nowNs();
      const tickets = nextRetry(nowNs) ?? pick(nowNs);
      if (tickets === undefined) break;
      caution.kept(tickets.length);
      pressure.ran(tickets.length);
      const tookSlot = runs.start(tickets, nowNs);
      if (!tookSlot && hasWaiting()) hold.openTurn();
    }
    arm();
    noteEmpty();
  }

  function nextRetry(nowNs: number): readonly Ticket[] | undefined {
    for (let tickets = retries.shift(); tickets !== undefined; tickets = retries.shift()) {
      for (const ticket of tickets) {
        if (ticket.deadlineAtNs <= nowNs) withdraw(ticket, told('expired', expired(nowNs - ticket.sinceNs)));
      }
      const live = tickets.filter(({ isSettled }) => !isSettled);
      if (live.length > 0) return live;
    }
    return undefined;
  }

  /** Who runs next; undefined: nobody, or nobody yet. */
  function pick(nowNs: number): readonly Ticket[] | undefined {
    for (let lane = queue.first(); lane !== undefined; lane = queue.first()) {
      const first = lane.waiting.first()!;
      const { rows, givenUp } = plan(lane, first, nowNs);
      if (rows === 0) {
        for (const ticket of givenUp.length === 0 ? [first] : givenUp) giveUp(ticket, nowNs);
        continue;
      }
      if (holds(lane, first, rows, nowNs)) return undefined;
      hold.end();
      return takeRun(queue, lane, rows, costs, nowNs);
    }
    hold.end();
    return undefined;
  }

  function plan(lane: Lane, first: Ticket, nowNs: number): Plan {
    const most = lookUpMost(lane, costs, limits);
    const { rowsPerNs } = outlook;
    const worthRows = first.joins ? outlook.rowsWorthRunning(lane, most, nowNs) : first.rows;
    return planRun(lane, most, { costs, slots: slots.count, pressure, caution, rowsPerNs, worthRows }, nowNs);
  }

  function giveUp(ticket: Ticket, nowNs: number): void {
    const runNs = costs.typicalNs(ticket.lane.shape, ticket.rows);
    pressure.decided(true);
    caution.gaveUp();
    withdraw(ticket, told('late', tooLate(nowNs - ticket.sinceNs, runNs)));
  }

  function holds(lane: Lane, first: Ticket, limit: number, nowNs: number): boolean {
    if (isDraining || hold.isOver || !first.joins || queue.lanes > 1) return false;
    const waitNs = outlook.worthWaitingNs(lane, lane.rows, limit, first, nowNs);
    if (waitNs <= 0) return false;
    if (waitNs >= timerStepNs) hold.wait(nowNs + waitNs);
    else hold.openTurn();
    return true;
  }

  /** One timer for all: it is set again when it has run, never for a later time. */
  function arm(): void {
    const atNs = Math.min(queue.nextExpiryNs(), hold.untilNs);
    if (atNs === Number.POSITIVE_INFINITY || timerAtNs <= atNs) return;
    timer?.cancel();
    timerAtNs = atNs;
    timer = clock.setTimer(onTimer, (atNs - clock.nowNs()) / 1e6);
  }

  function onTimer(): void {
    timerAtNs = Number.POSITIVE_INFINITY;
    const nowNs = clock.nowNs();
    expireBy(nowNs);
    hold.passed(nowNs, dispatch);
  }

  function expireBy(nowNs: number): void {
    for (let late = queue.expiredBy(nowNs); late !== undefined; late = queue.expiredBy(nowNs)) {
      const waitedNs = nowNs - late.sinceNs;
      if (late.deadlineAtNs <= nowNs) {
        pressure.decided(true);
        caution.gaveUp();
        withdraw(late, told('expired', expired(waitedNs)));
      } else if (queue.policyOf(late.level).timeoutAction === 'delay') queue.delay(late);
      else withdraw(late, told('expired', waitedTooLong(waitedNs)));
    }
  }

  function withdraw(ticket: Ticket, error: NimifyError): void {
    if (ticket.isSettled) return;
    if (queue.isWaiting(ticket)) queue.remove(ticket);
    refuse(ticket, error);
    ticket.run?.leave(ticket);
    noteEmpty();
  }

  function noteEmpty(): void {
    if (whenEmpty !== undefined && !hasWaiting() && slots.free === slots.count) whenEmpty();
  }

  return {
    runs,
    get isIdle() {
      return slots.free > 0 && !hold.isTurnOpen && !hasWaiting();
    },
    wake,
    withdraw,
    async drain(graceMs) {
      isDraining = true;
      const empty = new Promise<void>((resolve) => {
        whenEmpty = resolve;
      });
      const limit = clock.setTimer(() => whenEmpty?.(), graceMs);
      dispatch();
      await empty;
      limit.cancel();
      timer?.cancel();
      for (const ticket of [...queue.all(), ...retries.flat()]) withdraw(ticket, notReady(name));
      retries.length = 0;
    },
  };
}

import type { QueuePolicy } from './contract.ts';
import { createHeap } from './heap.ts';
import type { Expiry, Lane, Ticket } from './ticket.ts';
import { createWorkAhead } from './work-ahead.ts';

/**
 * Those who wait, by shape class, in order of their keys: the earliest deadline first, where every level of priority
 * below the first adds a fixed time. So lower levels let others pass for that time and no longer: they age.
 *
 * ```
 * lanes (heap by the key of their first)    shape 0: [k=3 k=7 k=9]    shape 1: [k=5]
 * expiries (heap by time)                   [t=40 t=41 t=52 t=60]
 * ```
 */
export interface Queue {
  /** Requests that wait. */
  readonly size: number;
  /** Their rows. */
  readonly rows: number;
  readonly lanes: number;
  /** Tickets that came so far. */
  readonly arrivals: number;
  /** The lane of the smallest key. */
  first(): Lane | undefined;
  /** That many requests of this level may wait no more: further ones are refused. */
  isFull(level: number): boolean;
  waitingAt(level: number): number;
  policyOf(level: number): QueuePolicy;
  /** Where a request of this deadline and level would stand. */
  keyOf(level: number, nowNs: number, deadlineAtNs: number): number;
  /** Work in front of that key, in nanoseconds of runs of the best size. */
  workBefore(key: number, nowNs: number): number;
  push(ticket: Ticket, expiresAtNs: number): void;
  remove(ticket: Ticket): void;
  /** To the very end. */
  delay(ticket: Ticket): void;
  isWaiting(ticket: Ticket): boolean;
  nextExpiryNs(): number;
  /** The next whose time is over; it waits on until it is removed or delayed. */
  expiredBy(nowNs: number): Ticket | undefined;
  /** All that wait, in no order. */
  all(): readonly Ticket[];
}

export interface QueueOptions {
  readonly levels: number;
  readonly objectiveNs: number | undefined;
  readonly queue: QueuePolicy | undefined;
  readonly queueByPriority: Readonly<Record<number, QueuePolicy>> | undefined;
}

export const DEFAULT_QUEUE: QueuePolicy = {
  maxWaiting: 1024,
  timeoutAction: 'reject',
  allowTimeoutOverride: false,
};

/** A deadline further away counts as this far: who has time to spare is passed by others for so long only. */
const PATIENCE_NS = 5e9;
/** How long a level lets the one above pass; all levels together ten times that, or half of the objective. */
const AGING_NS = 1e9;
const MOST_AGING_NS = 10e9;
/** After everything that has a time. */
const VERY_END = 1e18;

export function createQueue(options: QueueOptions): Queue {
  const { levels, objectiveNs, queue = DEFAULT_QUEUE, queueByPriority } = options;
  const policies = Array.from({ length: levels + 1 }, (_, level) => queueByPriority?.[level] ?? queue);
  const agingNs = agingOf(levels, objectiveNs);
  const counts = new Int32Array(levels + 1);
  const lanes = createHeap<Lane>();
  const expiries = createHeap<Expiry>();
  const work = createWorkAhead((objectiveNs ?? 1e9) / 64);
  let size = 0;
  let rows = 0;
  let arrivals = 0;

  /** Its first has changed. */
  function settleLane(lane: Lane): void {
    const first = lane.waiting.first();
    if (first === undefined) {
      if (lane.place >= 0) lanes.remove(lane);
      return;
    }
    if (lane.place >= 0 && lane.key === first.key && lane.order === first.order) return;
    lane.key = first.key;
    lane.order = first.order;
    if (lane.place >= 0) lanes.moved(lane);
    else lanes.push(lane);
  }

  function insert(ticket: Ticket): void {
    const { lane } = ticket;
    ticket.workNs = lane.rowNs * ticket.rows;
    ticket.bucket = work.add(ticket.key, ticket.workNs);
    lane.waiting.push(ticket);
    lane.rows += ticket.rows;
    rows += ticket.rows;
    settleLane(lane);
  }

  function takeOut(ticket: Ticket): void {
    const { lane } = ticket;
    work.remove(ticket.bucket, ticket.workNs);
    lane.waiting.remove(ticket);
    lane.rows -= ticket.rows;
    rows -= ticket.rows;
    settleLane(lane);
  }

  function expire(ticket: Ticket, atNs: number): void {
    if (ticket.expiry !== undefined) expiries.remove(ticket.expiry);
    ticket.expiry =
      atNs === Number.POSITIVE_INFINITY ? undefined : { ticket, key: atNs, order: ticket.order, place: -1 };
    if (ticket.expiry !== undefined) expiries.push(ticket.expiry);
  }

  return {
    get size() {
      return size;
    },
    get rows() {
      return rows;
    },
    get lanes() {
      return lanes.size;
    },
    get arrivals() {
      return arrivals;
    },
    first: () => lanes.first(),
    isFull: (level) => counts[level]! >= policies[level]!.maxWaiting,
    waitingAt: (level) => counts[level]!,
    policyOf: (level) => policies[level]!,
    keyOf: (level, nowNs, deadlineAtNs) =>
      Math.min(deadlineAtNs, nowNs + PATIENCE_NS) + (level - 1) * agingNs,
    workBefore(key, nowNs) {
      if (size === 0) return 0;
      work.passed(nowNs);
      return work.before(key);
    },
    push(ticket, expiresAtNs) {
      work.passed(ticket.sinceNs);
      insert(ticket);
      expire(ticket, expiresAtNs);
      size += 1;
      arrivals += 1;
      if (ticket.counts) counts[ticket.level]! += 1;
    },
    remove(ticket) {
      takeOut(ticket);
      expire(ticket, Number.POSITIVE_INFINITY);
      size -= 1;
      if (ticket.counts) counts[ticket.level]! -= 1;
    },
    delay(ticket) {
      takeOut(ticket);
      ticket.key = VERY_END + ticket.key;
      insert(ticket);
      expire(ticket, ticket.deadlineAtNs);
    },
    isWaiting: (ticket) => ticket.place >= 0,
    nextExpiryNs: () => expiries.first()?.key ?? Number.POSITIVE_INFINITY,
    expiredBy(nowNs) {
      const first = expiries.first();
      return first !== undefined && first.key <= nowNs ? first.ticket : undefined;
    },
    all: () => lanes.items().flatMap(({ waiting }) => waiting.items()),
  };
}

/**
 * With an objective, levels differ by a part of it only, so that a request of the lowest still has half of its time
 * left when nobody who comes after it passes it any more.
 */
function agingOf(levels: number, objectiveNs: number | undefined): number {
  if (levels === 1) return 0;
  const mostNs = objectiveNs === undefined ? MOST_AGING_NS : objectiveNs / 2;
  return Math.min(AGING_NS, mostNs / (levels - 1));
}

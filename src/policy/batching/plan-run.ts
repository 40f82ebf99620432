import type { Caution } from './caution.ts';
import type { CostModel } from './contract.ts';
import { likelyNs, rowsUnderPressure } from './likely.ts';
import { rowsInTime } from './pick.ts';
import type { Pressure } from './pressure.ts';
import { quickestRows } from './run-size.ts';
import type { Lane, Ticket } from './ticket.ts';

export interface Plan {
  /** Most rows of the run that begins now. 0: whoever is first cannot be in time. */
  readonly rows: number;
  /** Who is given up, so that the run can be as large as it is worth. Then there is another plan to be made. */
  readonly givenUp: readonly Ticket[];
}

const NOBODY: readonly Ticket[] = [];

/**
 * How many rows a run has that begins now: as many as let those who wait wait least, or, under pressure, as many as
 * take least time each. Where the first deadline is too near for that, the run is made smaller; but smaller runs do less in
 * the same time, so that the next deadline is nearer still, and so on until every run serves one request that is just
 * in time. So the first ones are given up instead where that costs fewer, counting those who would be late after a
 * smaller run and, while requests are refused for want of time, those who could be served in the time that it wastes.
 *
 * Looks at all who wait only where the first deadline is too near: once a run at most.
 */
export function planRun(
  lane: Lane,
  most: number,
  parts: {
    readonly costs: CostModel;
    readonly slots: number;
    readonly pressure: Pressure;
    readonly caution: Caution;
    /** Rows that come on the whole. */
    readonly rowsPerNs: number;
    /** Of those who wait, the rows that are best for all of them together. */
    readonly worthRows: number;
  },
  nowNs: number,
): Plan {
  const { costs, slots, pressure, caution, rowsPerNs, worthRows } = parts;
  const { shape } = lane;
  const first = lane.waiting.first()!;
  const worth = pressure.isHigh ? quickestRows(costs, shape, most) : worthRows;
  const wanted = Math.max(first.rows, Math.min(lane.rows, most, worth));
  // Nobody has to be left behind: more may join while the slot is held.
  const limit = wanted >= lane.rows ? most : wanted;
  const rows = rowsInTime(first, limit, costs, nowNs);
  if (!first.joins || rows === 0 || rows >= wanted) return { rows, givenUp: NOBODY };

  const typicalNs = (size: number) => (size > 0 ? costs.typicalNs(shape, size) : 0);
  const lateFromNs = nowNs + typicalNs(rows) + likelyNs(costs, shape, wanted - rows);
  const near = nearest(lane, first, Math.max(lateFromNs, nowNs + likelyNs(costs, shape, wanted)));
  const lateRows = rowsOf(near.filter(({ deadlineAtNs }) => deadlineAtNs < lateFromNs)) - rows;
  const givenUp = tooNear(near, lane.rows, most, (size) => nowNs + likelyNs(costs, shape, size));
  const lostRows = rowsOf(givenUp);
  const budgetNs = (first.deadlineAtNs - first.sinceNs) * (1 - caution.spare);
  const full = rowsUnderPressure(costs, shape, { budgetNs, most, slots, rowsPerNs });
  const wastedNs = typicalNs(rows) + typicalNs(wanted - rows) - typicalNs(Math.max(1, wanted - lostRows));
  const isWorthIt = lostRows - Math.max(0, lateRows) <= (pressure.price * wastedNs * full) / typicalNs(full);
  return isWorthIt ? { rows: 0, givenUp } : { rows, givenUp: NOBODY };
}

/** Those as urgent as the first whose deadlines are before that, the nearest first. */
function nearest(lane: Lane, first: Ticket, beforeNs: number): readonly Ticket[] {
  return lane.waiting
    .items()
    .filter(({ joins, level, deadlineAtNs }) => joins && level <= first.level && deadlineAtNs < beforeNs)
    .sort((one, other) => one.deadlineAtNs - other.deadlineAtNs);
}

/** How many of the nearest have to go until a run of as many of the others as fit is in time for all of them. */
function tooNear(
  near: readonly Ticket[],
  waitingRows: number,
  most: number,
  endsNs: (rows: number) => number,
): readonly Ticket[] {
  let left = waitingRows;
  let count = 0;
  for (const { rows, deadlineAtNs } of near) {
    if (left === rows || endsNs(Math.min(most, left)) <= deadlineAtNs) break;
    left -= rows;
    count += 1;
  }
  return near.slice(0, count);
}

function rowsOf(tickets: readonly Ticket[]): number {
  let sum = 0;
  for (const { rows } of tickets) sum += rows;
  return sum;
}

import type { CostModel } from './contract.ts';
import type { Queue } from './queue.ts';
import type { Lane, Ticket } from './ticket.ts';

/** Share of the time that may go into finding out whether a prediction still holds by which nothing could run. */
const PROBE_EVERY = 10;

/**
 * Most rows that a run may have which begins now with this ticket: p99 holds its deadline. Its own rows where only the
 * typical time does, and where nothing is known. 0: not even that, and a run would be for nothing.
 */
export function rowsInTime(ticket: Ticket, mostRows: number, costs: CostModel, nowNs: number): number {
  const { lane, rows, deadlineAtNs } = ticket;
  const typicalNs = costs.typicalNs(lane.shape, rows);
  if (typicalNs === Number.POSITIVE_INFINITY) return rows;
  const most = ticket.joins ? Math.max(mostRows, rows) : rows;
  if (deadlineAtNs === Number.POSITIVE_INFINITY) return most;
  const budgetNs = deadlineAtNs - nowNs;
  const within = costs.largestWithin(lane.shape, budgetNs, most);
  if (within >= rows) return within;
  if (typicalNs <= budgetNs) return rows;
  const isStale = nowNs - lane.lastRunAtNs > typicalNs * PROBE_EVERY;
  return isStale && budgetNs > 0 ? rows : 0;
}

/** Takes the lane's first and those after it, in order, that go with it into a run of at most `limit` rows. */
export function takeRun(
  queue: Queue,
  lane: Lane,
  limit: number,
  costs: CostModel,
  nowNs: number,
): readonly Ticket[] {
  const first = lane.waiting.first()!;
  queue.remove(first);
  const taken = [first];
  if (!first.joins) return taken;
  let { rows, deadlineAtNs } = first;
  let most = limit;
  for (;;) {
    const next = lane.waiting.first();
    if (next === undefined || !next.joins || rows + next.rows > most) return taken;
    if (next.deadlineAtNs < deadlineAtNs) {
      // Earlier than those before it by its deadline, later by its priority: it goes with them if it is in time so.
      deadlineAtNs = next.deadlineAtNs;
      most = Math.min(most, costs.largestWithin(lane.shape, deadlineAtNs - nowNs, most));
      if (rows + next.rows > most) return taken;
    }
    queue.remove(next);
    taken.push(next);
    rows += next.rows;
  }
}

/** So many are looked at to find whom to give up. */
const MOST_LOOKED_AT = 128;

/**
 * Those to give up, so that the rest is in time. Where the first has little time left its run can only be small, small
 * runs are slow by the row, and so the next has less time left still, until every run is of one row: what is late is
 * dropped early (as in Nexus, H. Shen et al., SOSP 2019). A run's worth is its rows, less those that the best runs
 * would have served in its time; who stands before the run of most worth is given up. Nobody is while the next
 * run can be as large.
 *
 * @param limit rows that a run with the first may have
 */
export function whoToGiveUp(
  lane: Lane,
  limit: number,
  costs: CostModel,
  nowNs: number,
  slots: number,
): readonly Ticket[] {
  const { shape, mostRows, rowNs } = lane;
  if (limit >= Math.min(lane.rows, mostRows) || rowNs === 0) return NOBODY;
  const line = lane.waiting.ascending(MOST_LOOKED_AT);
  const first = runFrom(line, 0, limit);
  const next = line[first.end];
  if (next === undefined || !next.joins) return NOBODY;
  const startsNs = nowNs + costs.typicalNs(shape, first.rows) / slots;
  const thenRows = Math.min(first.rows, lane.rows - first.rows);
  if (startsNs + costs.p99Ns(shape, thenRows) <= next.deadlineAtNs) return NOBODY;

  let best = 0;
  let bestWorth = first.rows - costs.typicalNs(shape, first.rows) / rowNs;
  for (let at = 1; at < line.length && line[at]!.joins; at++) {
    const within = costs.largestWithin(shape, line[at]!.deadlineAtNs - nowNs, mostRows);
    const { rows } = runFrom(line, at, within);
    const worth = rows - costs.typicalNs(shape, rows) / rowNs;
    if (rows > 0 && worth > bestWorth) {
      best = at;
      bestWorth = worth;
    }
    if (within >= mostRows) break;
  }
  return line.slice(0, best);
}

const NOBODY: readonly Ticket[] = [];

function runFrom(
  line: readonly Ticket[],
  from: number,
  limit: number,
): { readonly rows: number; readonly end: number } {
  let rows = 0;
  let end = from;
  while (end < line.length && line[end]!.joins && rows + line[end]!.rows <= limit) rows += line[end++]!.rows;
  return { rows, end };
}

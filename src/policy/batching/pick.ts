import type { CostModel } from './contract.ts';
import { largestLikely } from './likely.ts';
import type { Queue } from './queue.ts';
import type { Lane, Ticket } from './ticket.ts';

/** Share of the time that may go into finding out whether a prediction still holds by which nothing could run. */
const PROBE_EVERY = 10;

/**
 * Most rows that a run may have which begins now with this ticket and is likely over by its deadline. Its own rows where only the
 * typical time does, and where nothing is known. 0: not even that, and a run would be for nothing.
 */
export function rowsInTime(ticket: Ticket, mostRows: number, costs: CostModel, nowNs: number): number {
  const { lane, rows, deadlineAtNs } = ticket;
  const typicalNs = costs.typicalNs(lane.shape, rows);
  if (typicalNs === Number.POSITIVE_INFINITY) return rows;
  const most = ticket.joins ? Math.max(mostRows, rows) : rows;
  if (deadlineAtNs === Number.POSITIVE_INFINITY) return most;
  const budgetNs = deadlineAtNs - nowNs;
  const within = largestLikely(costs, lane.shape, budgetNs, most);
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
      most = Math.min(most, largestLikely(costs, lane.shape, deadlineAtNs - nowNs, most));
      if (rows + next.rows > most) return taken;
    }
    queue.remove(next);
    taken.push(next);
    rows += next.rows;
  }
}

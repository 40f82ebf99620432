import type { CostModel } from './contract.ts';
import type { Queue } from './queue.ts';
import type { Slots } from './slots.ts';
import type { Lane } from './ticket.ts';

export interface Forecast {
  /** Until a slot takes the request, from now. */
  readonly waitNs: number;
  /** Its run, which 99 of 100 stay within. */
  readonly runNs: number;
}

/**
 * What a request would meet that came now: those before it by their keys run in batches, and it runs in one itself,
 * with those among whom it then stands and those who come until then. The batches are as large as half of its time
 * allows: who comes just after one has begun must have the time for that and for the next. In constant time, however
 * many wait.
 */
export function forecast(
  parts: { readonly queue: Queue; readonly slots: Slots; readonly costs: CostModel },
  lane: Lane,
  ask: {
    readonly rows: number;
    readonly key: number;
    readonly budgetNs: number;
    readonly nowNs: number;
    /** Rows that come on the whole. */
    readonly rowsPerNs: number;
    /** 0 to 1: how many of those who are expected to come meanwhile are reckoned with. */
    readonly caution: number;
  },
): Forecast {
  const { queue, slots, costs } = parts;
  const { shape, mostRows, rowNs } = lane;
  const { rows, key, budgetNs, nowNs } = ask;
  const aheadNs = queue.workBefore(key, nowNs);
  const p99Ns = costs.p99Ns(shape, rows);
  // Of a class that was never run nothing can be said but what stands before it.
  if (rowNs === 0 || p99Ns === Number.POSITIVE_INFINITY) {
    return { waitNs: slots.waitNs(nowNs, aheadNs), runNs: 0 };
  }
  const runRows = lane.joins ? costs.largestWithin(shape, budgetNs / 2, mostRows) : 0;
  if (runRows <= rows) return { waitNs: slots.waitNs(nowNs, aheadNs), runNs: p99Ns };
  const aheadRows = Math.round(aheadNs / rowNs);
  const runsAhead = Math.floor(aheadRows / runRows);
  const waitNs = slots.waitNs(nowNs, runsAhead * costs.typicalNs(shape, runRows));
  const joining = Math.round(ask.caution * waitNs * ask.rowsPerNs);
  const withRows = Math.min(runRows, aheadRows - runsAhead * runRows + rows + joining);
  return { waitNs, runNs: costs.p99Ns(shape, withRows) };
}

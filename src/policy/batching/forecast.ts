import type { CostModel } from './contract.ts';
import { largestLikely, likelyNs, rowsUnderPressure } from './likely.ts';
import type { Pressure } from './pressure.ts';
import type { Queue } from './queue.ts';
import type { Slots } from './slots.ts';
import type { Lane } from './ticket.ts';

export interface Forecast {
  /** Until a slot takes the request, from now. */
  readonly waitNs: number;
  /** Its run, which most stay within. */
  readonly runNs: number;
}

/**
 * What a request would meet that came now. The next run is as large as its first request's deadline allows; who does
 * not find a place in it stands in the runs after it, of the size that is aimed at. Under pressure the runs fill up
 * after one has come, so they are taken to be full. In constant time, however many wait.
 */
export function forecast(
  parts: {
    readonly queue: Queue;
    readonly slots: Slots;
    readonly costs: CostModel;
    readonly pressure: Pressure;
  },
  lane: Lane,
  ask: {
    readonly rows: number;
    readonly key: number;
    readonly budgetNs: number;
    readonly nowNs: number;
    /** Rows that come on the whole. */
    readonly rowsPerNs: number;
    /** Part of the budget that is kept in reserve. */
    readonly spare: number;
  },
): Forecast {
  const { queue, slots, costs, pressure } = parts;
  const { shape, mostRows, rowNs } = lane;
  const { rows, key, budgetNs, nowNs, rowsPerNs, spare } = ask;
  const aheadNs = queue.workBefore(key, nowNs);
  const aloneNs = likelyNs(costs, shape, rows);
  // Of a class that was never run nothing can be said but what stands before it.
  if (rowNs === 0 || aloneNs === Number.POSITIVE_INFINITY) {
    return { waitNs: slots.waitNs(nowNs, aheadNs), runNs: 0 };
  }
  if (!lane.joins || mostRows <= rows) return { waitNs: slots.waitNs(nowNs, aheadNs), runNs: aloneNs };

  const ownNs = Math.min(aheadNs, lane.rows * rowNs);
  const upTo = Math.round(ownNs / rowNs) + rows;
  const waitNs = slots.waitNs(nowNs, aheadNs - ownNs);
  const full = rowsUnderPressure(costs, shape, {
    ...{ budgetNs: budgetNs * (1 - spare), most: mostRows, slots: slots.count, rowsPerNs },
  });
  const first = lane.waiting.first();
  const firstBudgetNs = first !== undefined && first.key <= key ? first.deadlineAtNs - nowNs : budgetNs;
  const inTime = Math.max(rows, largestLikely(costs, shape, firstBudgetNs - waitNs, mostRows));
  const next = pressure.isHigh ? Math.max(inTime, full) : inTime;
  const runOf = (size: number) => likelyNs(costs, shape, pressure.isHigh ? Math.max(size, full) : size);
  if (upTo <= next) return { waitNs, runNs: runOf(upTo) };
  const between = Math.ceil((upTo - next) / full) - 1;
  const workNs = costs.typicalNs(shape, next) + between * costs.typicalNs(shape, full);
  const withRows = Math.max(rows, upTo - next - between * full);
  return { waitNs: waitNs + workNs / slots.count, runNs: runOf(withRows) };
}

import type { Arrivals, BatchingOptions, CostModel } from './contract.ts';
import type { Queue } from './queue.ts';
import { rowsWorthRunning } from './run-size.ts';
import type { Slots } from './slots.ts';
import type { Lane, Ticket } from './ticket.ts';
import { worthWaitingNs } from './window.ts';

/** What the arrivals that are to be expected mean for a free slot. */
export interface Outlook {
  /** How long it should wait for more rows than these, which may be `mostRows`; 0: not at all. */
  worthWaitingNs(
    lane: Lane,
    rows: number,
    mostRows: number,
    first: Pick<Ticket, 'deadlineAtNs' | 'sinceNs'>,
    nowNs: number,
  ): number;
  /** Rows that come on the whole. */
  readonly rowsPerNs: number;
  /** Of the rows that wait, how many it should run. */
  rowsWorthRunning(lane: Lane, mostRows: number, nowNs: number): number;
}

export interface OutlookDeps {
  readonly costs: CostModel;
  readonly arrivals: Arrivals;
  readonly slots: Slots;
  readonly queue: Queue;
  /** What arrives while a run holds up the event loop is put together anyway. */
  readonly isInline: boolean;
}

export function createOutlook(deps: OutlookDeps, options: BatchingOptions): Outlook {
  const { costs, arrivals, slots, queue, isInline } = deps;
  const { maxDelayMs, preferredRows, weight = 0.5 } = options;
  const maxDelayNs = maxDelayMs === undefined ? undefined : maxDelayMs * 1e6;
  const isFixed = maxDelayNs !== undefined;

  return {
    worthWaitingNs({ shape }, rows, mostRows, { deadlineAtNs, sinceNs }, nowNs) {
      if (rows >= mostRows || (isInline && !isFixed)) return 0;
      const gapNs = isFixed ? 0 : arrivals.gapNs(nowNs);
      const echoNs = isFixed ? 0 : arrivals.echoNs?.(nowNs);
      const echoRows = isFixed ? 0 : arrivals.echoRows?.();
      const rowsPerNs = isFixed ? 0 : arrivals.rowsPerNs?.();
      const isOpen = deadlineAtNs === Number.POSITIVE_INFINITY;
      return worthWaitingNs({
        nowNs,
        rows,
        mostRows,
        gapNs,
        echoNs,
        echoRows,
        rowsPerNs,
        shape,
        costs,
        slots: slots.count,
        freeSlots: slots.free,
        nextFreeNs: slots.nextFreeNs(nowNs),
        sinceStartNs: slots.sinceStartNs(nowNs),
        latestStartNs: isOpen ? deadlineAtNs : deadlineAtNs - costs.p99Ns(shape, rows + 1),
        maxDelayNs,
        preferredRows,
        oldestSinceNs: sinceNs,
        weight,
      });
    },
    get rowsPerNs() {
      return arrivals.rowsPerNs?.() ?? 0;
    },
    rowsWorthRunning({ shape }, mostRows, nowNs) {
      const rowsPerNs = arrivals.surgeRowsPerNs?.(nowNs) ?? 0;
      if (queue.rows === 1 || mostRows === 1) return mostRows;
      return rowsWorthRunning({
        rows: queue.rows,
        mostRows,
        shape,
        costs,
        slots: slots.count,
        rowsPerNs,
        weight,
      });
    },
  };
}

import type { NimifyError } from '../../base/errors/nimify-error.ts';
import type { Clock } from '../../base/util/clock.ts';
import type { Caution } from './caution.ts';
import type { BatchingRefusal, CostModel } from './contract.ts';
import { forecast } from './forecast.ts';
import type { Pressure } from './pressure.ts';
import type { Queue } from './queue.ts';
import { queueFull, wouldBeLate } from './refusals.ts';
import type { Slots } from './slots.ts';
import type { Lane } from './ticket.ts';

/** What is to be known of a request before it may wait. */
export interface Asked {
  readonly lane: Lane;
  readonly rows: number;
  readonly deadlineAtNs: number;
  readonly level: number;
  readonly key: number;
  readonly nowNs: number;
  /** Rows that came on the whole, before this. */
  readonly rowsPerNs: number;
}

export interface GateDeps {
  readonly clock: Clock;
  readonly queue: Queue;
  readonly slots: Slots;
  readonly costs: CostModel;
  readonly pressure: Pressure;
  readonly caution: Caution;
  /** Short runs happen on the main thread. */
  readonly isInline: boolean;
  told(why: BatchingRefusal, error: NimifyError): NimifyError;
}

/** To refuse costs as much as to answer where runs on the main thread are shorter: none is refused there for want of time. */
const SHORT_RUN_NS = 100_000;

/** Who may wait. */
export interface Gate {
  /** Undefined: it may. Else what tells it why not; it counts as refused when that is called. */
  refusal(asked: Asked): (() => NimifyError) | undefined;
}

export function createGate(deps: GateDeps): Gate {
  const { clock, queue, slots, costs, pressure, caution, told, isInline } = deps;

  function full(level: number): NimifyError {
    const nowNs = clock.nowNs();
    const waitNs = slots.waitNs(nowNs, queue.workBefore(Number.POSITIVE_INFINITY, nowNs));
    return told('full', queueFull(queue.waitingAt(level), Math.max(1, Math.ceil(waitNs / 1e6))));
  }

  /** By prediction; a free slot needs none. Counts as a refusal when it is called. */
  function lateness(asked: Asked): (() => NimifyError) | undefined {
    const { lane, rows, key, deadlineAtNs, nowNs, rowsPerNs } = asked;
    if (deadlineAtNs === Number.POSITIVE_INFINITY || slots.free > 0) return undefined;
    const budgetNs = deadlineAtNs - nowNs;
    const ask = { rows, key, budgetNs, nowNs, rowsPerNs, spare: caution.spare };
    if (isInline && costs.typicalNs(lane.shape, rows) < SHORT_RUN_NS) return undefined;
    const { waitNs, runNs } = forecast({ queue, slots, costs, pressure }, lane, ask);
    // What is spared is for runs that take longer than forecast, and for those that must be kept large.
    const spareNs = budgetNs * caution.spare;
    if (waitNs + runNs + spareNs <= budgetNs) return undefined;
    return () => told('late', wouldBeLate(queue.size, { waitNs, runNs, budgetNs, spareNs }));
  }

  return {
    refusal: (asked) => (queue.isFull(asked.level) ? () => full(asked.level) : lateness(asked)),
  };
}

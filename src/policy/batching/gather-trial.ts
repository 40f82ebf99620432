import { createComparison } from '../../base/util/comparison.ts';

/** Says whether to gather what one turn of the event loop brings, and finds out by comparing. */
export interface GatherTrial {
  /** Should requests that come now be gathered? Undefined: it has not been compared yet. */
  readonly shouldGather: boolean | undefined;
  /**
   * To be called for every request.
   * @param canGather false: nothing can be said of gathering now, since turns bring no more than one or nothing is saved
   */
  arrived(canGather: boolean): void;
}

/** Requests that are timed together: several turns of the event loop, also where one brings dozens. */
const BLOCK_REQUESTS = 256;
const BLOCKS = 16;
/** Of a comparison in what is known: neighbours on the machine disturb each. */
const WEIGHT = 0.5;
/** To change one's mind, the other way must cost less than this share. */
const CHANGES_BELOW = 0.97;
/** Between comparisons, doubled while they say the same. */
const FIRST_WAIT_NS = 0.25e9;
const LONGEST_WAIT_NS = 16e9;
/** The clock is read once in so many requests. */
const LOOK_EVERY = 64;

/**
 * What a run of many rows saves is known from the cost model; what it costs to wait for the others (promises, a place in
 * the queue, answers that leave later) depends on the machine, the client and the size of requests. So both ways are
 * tried by turns, and compared by the CPU time that as many requests take: it hardly tells of others on the machine.
 */
export function createGatherTrial(deps: {
  /** CPU time since any moment. */
  readonly cpuNs: () => number;
  readonly nowNs: () => number;
}): GatherTrial {
  const comparison = createComparison({ perBlock: BLOCK_REQUESTS, blocks: BLOCKS });
  let gathers: boolean | undefined;
  /** Logarithm of the share that gathering costs. */
  let level: number | undefined;
  let isComparing = false;
  let unlooked = LOOK_EVERY;
  let notBeforeNs: number | undefined;
  let waitNs = FIRST_WAIT_NS;

  function mayStart(): boolean {
    unlooked += 1;
    if (unlooked < LOOK_EVERY) return false;
    unlooked = 0;
    const nowNs = deps.nowNs();
    notBeforeNs ??= nowNs + waitNs;
    return nowNs >= notBeforeNs;
  }

  function judge(ratio: number): void {
    const before = gathers;
    level = level === undefined ? Math.log(ratio) : level + (Math.log(ratio) - level) * WEIGHT;
    gathers = Math.exp(level) < (before === true ? 1 / CHANGES_BELOW : CHANGES_BELOW);
    end(gathers === before ? Math.min(2 * waitNs, LONGEST_WAIT_NS) : FIRST_WAIT_NS);
  }

  function end(nextWaitNs: number): void {
    isComparing = false;
    waitNs = nextWaitNs;
    notBeforeNs = deps.nowNs() + waitNs;
  }

  return {
    get shouldGather() {
      return isComparing ? comparison.isOther : gathers;
    },
    arrived(canGather) {
      if (isComparing) {
        if (!canGather) return end(FIRST_WAIT_NS);
        const ratio = comparison.done(deps.cpuNs);
        if (ratio !== undefined) judge(ratio);
      } else if (canGather && mayStart()) {
        isComparing = true;
        comparison.start(deps.cpuNs());
      }
    },
  };
}

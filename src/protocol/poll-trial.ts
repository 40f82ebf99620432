/** Says whether to poll, and finds out by comparing. */
export interface PollTrial {
  /** Should the event loop poll after the answers that are given from now on? */
  readonly shouldPoll: boolean;
  /** Time for a request with polling, as a share of that without, when it was last compared; 1 before. */
  readonly timeRatio: number;
  /**
   * To be called for every answer.
   * @param gapNs from the answer before it to its request; not above 0 where they overlapped
   * @param nowNs the clock's monotonic time
   * @param canPoll false: nothing can be said of polling now, because it is not affordable
   */
  answered(gapNs: number, nowNs: number, canPoll: boolean): void;
}

/**
 * Gaps between these are those of a client that asks again when it has been answered: a wake-up is part of them. Shorter
 * ones lie between requests that came together.
 */
const NEAREST_NS = 8000;
const NEAR_NS = 250_000;
/** So many of them in a row are worth a comparison. */
const NEAR_RUN = 32;
/** Requests that are timed together: few enough to have passed before the load changes. */
const BLOCK_REQUESTS = 32;
/** With and without by turns, as ABBA, so that what grows faster or slower meanwhile weighs on both alike. */
const BLOCKS = 8;
/** A client that pauses for so long in a comparison ends it: what it says is not about wake-ups. */
const PAUSE_NS = 20e6;
/** A core that is kept busy must buy more than this: at most so much of the time may be left. */
const PAYS_BELOW = 0.85;
const RECHECK_NS = 2e9;
/** Where it does not pay, comparisons follow at this distance, doubled each time. */
const FIRST_WAIT_NS = 0.25e9;
const LONGEST_WAIT_NS = 16e9;

/**
 * Whether it pays to poll depends on what cannot be asked for: how long the machine takes to wake a thread, and whether
 * anybody else, the client perhaps, needs the core. So it is tried: blocks of requests with and without polling,
 * compared by the median of the time that they take. A client that does not wait for answers takes as long for
 * both; so does one that shares the core, or longer.
 */
export function createPollTrial(): PollTrial {
  const durations = { without: new Float64Array(BLOCKS / 2), with: new Float64Array(BLOCKS / 2) };
  let pays = false;
  let shouldPoll = false;
  let timeRatio = 1;
  let nearRun = 0;
  let notBeforeNs = 0;
  let waitNs = FIRST_WAIT_NS;
  let isComparing = false;
  let block = 0;
  let requests = 0;
  let blockFromNs = 0;

  function start(nowNs: number): void {
    isComparing = true;
    block = 0;
    beginBlock(nowNs);
  }

  function beginBlock(nowNs: number): void {
    requests = 0;
    blockFromNs = nowNs;
    shouldPoll = isWith(block);
  }

  function endBlock(nowNs: number): void {
    const list = shouldPoll ? durations.with : durations.without;
    list[block >> 1] = nowNs - blockFromNs;
    block += 1;
    if (block < BLOCKS) beginBlock(nowNs);
    else judge(nowNs);
  }

  function judge(nowNs: number): void {
    timeRatio = medianOf(durations.with) / medianOf(durations.without);
    pays = timeRatio < PAYS_BELOW;
    if (pays) {
      waitNs = FIRST_WAIT_NS;
      end(nowNs + RECHECK_NS);
    } else putOff(nowNs);
  }

  function putOff(nowNs: number): void {
    end(nowNs + waitNs);
    waitNs = Math.min(2 * waitNs, LONGEST_WAIT_NS);
  }

  function end(nextNs: number): void {
    isComparing = false;
    shouldPoll = pays;
    nearRun = 0;
    notBeforeNs = nextNs;
  }

  return {
    get shouldPoll() {
      return shouldPoll;
    },
    get timeRatio() {
      return timeRatio;
    },
    answered(gapNs, nowNs, canPoll) {
      if (!isComparing) {
        nearRun = gapNs >= NEAREST_NS && gapNs <= NEAR_NS ? nearRun + 1 : 0;
        if (nearRun >= NEAR_RUN && nowNs >= notBeforeNs && canPoll) start(nowNs);
        return;
      }
      requests += 1;
      if (gapNs > PAUSE_NS) end(nowNs + FIRST_WAIT_NS);
      else if (shouldPoll && !canPoll) putOff(nowNs);
      else if (requests === BLOCK_REQUESTS) endBlock(nowNs);
    },
  };
}

function isWith(block: number): boolean {
  return block % 4 === 1 || block % 4 === 2;
}

/** Of a list of even length, which is put in order. */
function medianOf(list: Float64Array): number {
  list.sort();
  const middle = list.length / 2;
  return ((list[middle - 1] as number) + (list[middle] as number)) / 2;
}

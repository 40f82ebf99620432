import type { Arrivals } from './contract.ts';

/** Arrivals that the estimate reaches back, and as many mean gaps of time. */
const MEMORY = 64;
/** Arrivals at the overall rate that every stretch of time is given beforehand. */
const PRIOR = 1;
/** Stretches of time since the last event, half an octave each, from 1 µs to over an hour. */
const FIRST_NS = 1000;
const STRETCHES = 64;
/** Look no further than where an arrival is this certain. */
const CERTAIN = 0.95;

const EDGES: Float64Array = Float64Array.from({ length: STRETCHES + 1 }, (_, at) =>
  at === 0 ? 0 : FIRST_NS * 2 ** ((at - 1) / 2),
);

export interface ObservedArrivals extends Arrivals {
  /** Answers went out: in a closed loop those who got them ask again soon. */
  answered(nowNs: number): void;
}

/**
 * When the next row is to be expected. Two life tables, one since the last arrival and one since answers last went
 * out, whichever came later: how often the next arrival fell into each stretch of time after it, over how long was
 * waited in that stretch. Bursts show in the first (soon after an arrival more is to come, after a pause little), closed
 * loops in the second. Both forget, with arrivals and with time, so that a pause outlives what was before it.
 *
 * The gap is the inverse of the Gittins index: the least time spent, over all times at which one could stop to
 * wait, for an arrival by then. Waiting at a cost per time pays exactly if it pays for that gap (J. Gittins, Bandit
 * Processes and Dynamic Allocation Indices, J. Royal Statistical Society B 41(2), 1979).
 */
export function createArrivals(): ObservedArrivals {
  const sinceArrival = createLifeTable();
  const sinceAnswers = createLifeTable();
  let table = sinceArrival;
  let fromNs = Number.NaN;
  let lastArrivalNs = Number.NaN;
  /** What an arrival now counts against one at the beginning: forgetting the old is counting the new for more. */
  let worth = 1;
  let arrivals = 0;
  let waitedNs = 0;

  function observe(nowNs: number): void {
    if (lastArrivalNs >= 0) {
      const gapNs = Math.max(0, nowNs - lastArrivalNs);
      worth *= Math.exp(
        (1 + (waitedNs > 0 ? Math.min(MEMORY * 8, (gapNs * arrivals) / waitedNs) : 0)) / MEMORY,
      );
      arrivals += worth;
      waitedNs += worth * gapNs;
      table.add(Math.max(0, nowNs - fromNs), worth, true);
      if (worth > 1e100) rescale();
    }
    table = sinceArrival;
    lastArrivalNs = nowNs;
    fromNs = nowNs;
  }

  function answered(nowNs: number): void {
    if (!(lastArrivalNs >= 0)) return;
    table.add(Math.max(0, nowNs - fromNs), worth, false);
    table = sinceAnswers;
    fromNs = nowNs;
  }

  function rescale(): void {
    sinceArrival.scale(1 / worth);
    sinceAnswers.scale(1 / worth);
    arrivals /= worth;
    waitedNs /= worth;
    worth = 1;
  }

  return {
    observe,
    answered,
    gapNs(nowNs) {
      if (arrivals === 0) return Number.POSITIVE_INFINITY;
      return table.gapNs(Math.max(0, nowNs - fromNs), worth, waitedNs / arrivals);
    },
  };
}

function createLifeTable() {
  const events = new Float64Array(STRETCHES);
  const exposureNs = new Float64Array(STRETCHES);

  return {
    add(elapsedNs: number, worth: number, isArrival: boolean): void {
      let at = 0;
      while (at < STRETCHES - 1 && EDGES[at + 1]! < elapsedNs) {
        exposureNs[at] = exposureNs[at]! + worth * (EDGES[at + 1]! - EDGES[at]!);
        at++;
      }
      exposureNs[at] = exposureNs[at]! + worth * (elapsedNs - EDGES[at]!);
      if (isArrival) events[at] = events[at]! + worth;
    },

    gapNs(elapsedNs: number, worth: number, meanGapNs: number): number {
      let at = 0;
      while (at < STRETCHES - 1 && EDGES[at + 1]! <= elapsedNs) at++;
      const prior = worth * PRIOR;
      const inStretchNs = elapsedNs - EDGES[at]!;
      let rate = (events[at]! + prior) / (exposureNs[at]! + worth * inStretchNs + prior * meanGapNs);
      let leftNs = EDGES[at + 1]! - elapsedNs;
      let none = 1;
      let spentNs = 0;
      let best = Number.POSITIVE_INFINITY;
      while (none > 1 - CERTAIN) {
        const ends = 1 - Math.exp(-rate * leftNs);
        spentNs += (none * ends) / rate;
        none *= 1 - ends;
        best = Math.min(best, spentNs / (1 - none));
        if (++at === STRETCHES) break;
        rate = (events[at]! + prior) / (exposureNs[at]! + prior * meanGapNs);
        leftNs = EDGES[at + 1]! - EDGES[at]!;
      }
      return best;
    },

    scale(factor: number): void {
      for (let at = 0; at < STRETCHES; at++) {
        events[at] = events[at]! * factor;
        exposureNs[at] = exposureNs[at]! * factor;
      }
    },
  };
}

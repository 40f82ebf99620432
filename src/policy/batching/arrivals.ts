import type { Arrivals } from './contract.ts';
import { createEcho } from './echo.ts';
import { createSurge } from './surge.ts';

/** Arrivals that the estimates reach back, and as many mean gaps of time. */
const MEMORY = 64;
/** The rate reaches back further: nothing is decided by it alone, and it is to be steady. */
const RATE_MEMORY = 1024;
/** A pause forgets as much as this many mean gaps at most. */
const MOST_GAPS = 512;
/** Arrivals at the overall rate that every cell is given beforehand. */
const PRIOR = 0.5;
/** Cells of time since the last arrival, half an octave each, from 1 µs to over an hour. */
const FIRST_NS = 1000;
const CELLS = 64;
/**
 * A pause counts for the rate as so many mean gaps: when it is over, what matters is how much comes while something
 * comes.
 */
const MOST_MEAN_GAPS = 32;
/** Look no further than where an arrival is this certain. */
const CERTAIN = 0.95;

const EDGES: Float64Array = Float64Array.from({ length: CELLS + 1 }, (_, at) =>
  at === 0 ? 0 : FIRST_NS * 2 ** ((at - 1) / 2),
);

export type ObservedArrivals = Required<Arrivals>;

/**
 * When the next row is to be expected. A life table of the time since the last arrival: how often the next one came at
 * that time, against how long was waited then. So in bursts more is to come soon, and after a pause little. It
 * forgets with arrivals and with time, so that a pause outlives what was before it.
 *
 * The gap is the least time to be spent for an arrival, over all times at which one could stop to wait: the inverse
 * of the Gittins index (J. Gittins, Bandit Processes and Dynamic Allocation Indices, J. Royal Statistical Society B
 * 41(2), 1979). Waiting at a cost per time pays exactly if it pays for that gap.
 */
export function createArrivals(): ObservedArrivals {
  const echo = createEcho();
  const surge = createSurge();
  const events = new Float64Array(CELLS);
  const waitedNs = new Float64Array(CELLS);
  let arrivalNs = Number.NaN;
  /** What an arrival now counts against one at the beginning: forgetting the old is counting the new for more. */
  let worth = 1;
  let allEvents = 0;
  let allNs = 0;
  let rateRows = 0;
  let rateNs = 0;

  function observe(nowNs: number, rows: number): void {
    if (rows <= 0) return;
    echo.arrived(nowNs, rows);
    if (arrivalNs >= 0) count(Math.max(0, nowNs - arrivalNs), rows);
    arrivalNs = nowNs;
  }

  function count(gapNs: number, rows: number): void {
    const gaps = 1 + (allNs > 0 ? Math.min(MOST_GAPS, (gapNs * allEvents) / allNs) : 0);
    worth *= Math.exp(gaps / MEMORY);
    surge.arrived(gapNs, gaps, rows);
    const kept = Math.exp(-gaps / RATE_MEMORY);
    rateRows = rateRows * kept + rows;
    rateNs = rateNs * kept + (rateNs > 0 ? Math.min(gapNs, (rateNs / rateRows) * MOST_MEAN_GAPS) : gapNs);
    allEvents += worth;
    allNs += worth * gapNs;
    const last = cellOf(gapNs);
    for (let cell = 0; cell < last; cell++) {
      waitedNs[cell] = waitedNs[cell]! + worth * (EDGES[cell + 1]! - EDGES[cell]!);
    }
    waitedNs[last] = waitedNs[last]! + worth * (gapNs - EDGES[last]!);
    events[last] = events[last]! + worth;
    if (worth > 1e100) rescale();
  }

  function rescale(): void {
    for (let cell = 0; cell < CELLS; cell++) {
      events[cell] = events[cell]! / worth;
      waitedNs[cell] = waitedNs[cell]! / worth;
    }
    allEvents /= worth;
    allNs /= worth;
    worth = 1;
  }

  function rowsPerNs(): number {
    return rateNs > 0 ? rateRows / rateNs : 0;
  }

  function gapNs(nowNs: number): number {
    if (allEvents === 0 || echo.isHeard(rowsPerNs())) return Number.POSITIVE_INFINITY;
    const prior = worth * PRIOR;
    const priorNs = (prior * allNs) / allEvents;
    const sinceNs = Math.max(0, nowNs - arrivalNs);
    let cell = cellOf(sinceNs);
    /** What has passed since the last arrival was waited too, in vain. */
    let inVainNs = worth * (sinceNs - EDGES[cell]!);
    let fromNs = sinceNs;
    let none = 1;
    let spentNs = 0;
    let best = Number.POSITIVE_INFINITY;
    for (; none > 1 - CERTAIN && cell < CELLS; cell++) {
      const rate = (events[cell]! + prior) / (waitedNs[cell]! + inVainNs + priorNs);
      const comes = 1 - Math.exp(-rate * (EDGES[cell + 1]! - fromNs));
      spentNs += (none * comes) / rate;
      none *= 1 - comes;
      best = Math.min(best, spentNs / (1 - none));
      inVainNs = 0;
      fromNs = EDGES[cell + 1]!;
    }
    return best;
  }

  return {
    observe,
    answered: echo.answered,
    gapNs,
    rowsPerNs,
    surgeRowsPerNs: (nowNs) => surge.rowsPerNs(nowNs, rowsPerNs()),
    echoRows: echo.owedRows,
    echoNs: (nowNs) => (echo.isHeard(rowsPerNs()) ? echo.leftNs(nowNs) : 0),
  };
}

function cellOf(sinceNs: number): number {
  if (sinceNs < FIRST_NS) return 0;
  return Math.min(CELLS - 1, 1 + Math.floor(2 * Math.log2(sinceNs / FIRST_NS)));
}

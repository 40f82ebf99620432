import { fitCosts, type Knots } from './fit-costs.ts';
import { along, GRID, nearestCell } from './row-grid.ts';

/** Runs of one size that the mean reaches back: a change of speed is taken up within about a hundred. */
const MEMORY = 32;
/** Runs of the class after which a size that was not run any more counts half as much. */
const FRESH = 512;
/** Sizes whose first runs are told to the curve at once; later every so many. */
const EAGER = 8;
/** A run that takes longer than this many times what was predicted counts as this many. */
const MOST_SURPRISE = 4;
/** Part of the excess over the mean by which the 99th percentile moves, up; down it is a hundredth of that. */
const TAIL_STEP = 0.3;
/** Where more than this part of late runs was above it, it moves in whole steps. */
const TOO_MANY = 0.04;
const LATE_RUNS = 64;
/** Runs that a size of the lender counts for. */
const LENT_WEIGHT = 0.25;
/** Excess of the 99th percentile over the mean that is assumed before there are runs, and the least one. */
const FIRST_TAIL = 0.5;
const LEAST_TAIL = 0.02;

/** Curves of a class that is better known, for sizes that this one has not run. */
export interface Lender {
  typicalNs(rows: number): number;
  /** The largest size that is known there. */
  mostRows(): number;
}

export interface RunTimes {
  /** The largest size of the grid that was run. */
  readonly mostRows: number;
  readonly typicalNs: Float64Array;
  readonly p99Ns: Float64Array;
  observe(rows: number, ns: number): void;
}

/**
 * The run times of one shape class, as two curves over the grid of sizes. For each size a mean that forgets and in
 * which no run counts for more than 4 times the prediction, and the 99th percentile as a multiple of it, followed by
 * multiplicative steps (A. Yazidi and H. Hammer, Multiplicative Update Methods for Incremental Quantile Estimation,
 * IEEE Trans. Cybernetics 49(3), 2019; after H. Robbins and S. Monro, 1951): up by s when a run is above, down by
 * s/99 when below, so that it comes to rest where one of a hundred is above. Nothing is allocated after creation.
 */
export function createRunTimes(lender?: Lender): RunTimes {
  const size = GRID.length;
  const knots: Knots = {
    meanNs: new Float64Array(size),
    weight: new Float64Array(size),
    tail: new Float64Array(size),
    classTail: FIRST_TAIL,
  };
  const { meanNs, weight, tail } = knots;
  const count = new Float64Array(size);
  const seenAt = new Float64Array(size);
  const typicalNs = new Float64Array(size).fill(Number.POSITIVE_INFINITY);
  const p99Ns = new Float64Array(size).fill(Number.POSITIVE_INFINITY);
  let runs = 0;
  let untold = 0;
  let mostRows = 0;
  /** Part of late runs that took longer than the 99th percentile said. */
  let above = 0;

  /** The run as if it had been of the size that it counts for, and no further from the prediction than is believed. */
  function atGrid(rows: number, cell: number, ns: number): number {
    if (runs === 0) return ns;
    const expectedNs = along(typicalNs, rows);
    return (Math.min(ns, expectedNs * MOST_SURPRISE) * typicalNs[cell]!) / expectedNs;
  }

  function observe(rows: number, ns: number): void {
    if (!(ns >= 0 && rows >= 1)) return;
    const cell = nearestCell(rows);
    const atLeastNs = Math.max(ns, 1);
    const ratio = runs === 0 ? 1 : atLeastNs / along(typicalNs, rows);
    const value = atGrid(rows, cell, atLeastNs);
    const seen = count[cell]!;
    if (seen === 0) tail[cell] = knots.classTail;
    else moveTail(cell, (ratio * typicalNs[cell]!) / meanNs[cell]!);
    meanNs[cell] =
      seen === 0 ? value : meanNs[cell]! + (value - meanNs[cell]!) * gain(seen, value < meanNs[cell]!);
    count[cell] = seen + 1;
    mostRows = Math.max(mostRows, GRID[cell]!);
    runs++;
    seenAt[cell] = runs;
    if (++untold >= EAGER || seen < EAGER) tell();
  }

  /** A class learns its tail as a whole too, for sizes with too few runs for one of their own. */
  function moveTail(cell: number, ratio: number): void {
    above += ((ratio > 1 + tail[cell]! ? 1 : 0) - above) / LATE_RUNS;
    const step = above > TOO_MANY ? 1 : TAIL_STEP;
    tail[cell] = moved(tail[cell]!, ratio, step);
    knots.classTail = moved(knots.classTail, ratio, Math.max(step, Math.min(1, 20 / runs)));
  }

  function tell(): void {
    untold = 0;
    for (let cell = 0; cell < size; cell++) {
      if (count[cell] === 0) continue;
      const age = (runs - seenAt[cell]!) / FRESH;
      weight[cell] = Math.min(count[cell]!, MEMORY) / (1 + age * age);
    }
    if (lender !== undefined) borrow(lender);
    fitCosts(knots, typicalNs, p99Ns);
  }

  /** Sizes not run here are taken to stand to those that were as they do at the lender. */
  function borrow({ typicalNs: lentNs, mostRows: most }: Lender): void {
    let own = 0;
    let lent = 0;
    for (let cell = 0; cell < size; cell++) {
      if (count[cell] === 0) continue;
      own += (weight[cell]! * meanNs[cell]!) / lentNs(GRID[cell]!);
      lent += weight[cell]!;
    }
    for (let rows = 1; rows <= most(); rows *= 2) {
      const cell = nearestCell(rows);
      if (count[cell] !== 0) continue;
      meanNs[cell] = (lentNs(rows) * own) / lent;
      weight[cell] = LENT_WEIGHT;
      tail[cell] = knots.classTail;
    }
  }

  return {
    get mostRows() {
      return mostRows;
    },
    typicalNs,
    p99Ns,
    observe,
  };
}

/** The first run of a size is often slower (memory is laid out, code is paged in): faster ones soon outweigh it. */
function gain(seen: number, isFaster: boolean): number {
  return isFaster && seen < 4 ? 0.75 : Math.max(1 / (seen + 1), 1 / MEMORY);
}

function moved(tail: number, ratio: number, step: number): number {
  return Math.max(LEAST_TAIL, tail * (ratio > 1 + tail ? 1 + step : 1 - step / 99));
}

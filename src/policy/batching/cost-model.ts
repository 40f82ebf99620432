import type { CostModel, CostSample, ShapeClass } from './contract.ts';
import { along, cellBelow, GRID } from './row-grid.ts';
import { createRunTimes, type Lender, type RunTimes } from './run-times.ts';

/** Shape classes with curves of their own, 2 KiB each; all further ones share the last. */
const MOST_CLASSES = 1024;
/** Where samples count that name no class: for every class to borrow. */
const ANY = MOST_CLASSES;
/** A class whose rows are of unknown size is asked after all others. */
const UNKNOWN_FACTOR = 1e9;
/** Rows per second within this much of the best are as good. A long queue makes ten times as much of it in latency. */
const GOOD_ENOUGH = 0.995;

export interface LearnedCosts extends CostModel {
  /**
   * Says how many elements one row of this class has. Before a class has runs of its own, its rows are taken to cost
   * what as many elements cost in the nearest class that has. Without it, all rows are taken to be alike.
   */
  introduce(shape: ShapeClass, elementsPerRow: number): void;
}

/**
 * How long runs take, learned from runs: see `createRunTimes` for what is kept of them. A class that was never run
 * borrows the curve of the nearest class that was. `observe` and the predictions allocate nothing, but for the first
 * run of a class.
 */
export function createCostModel({ seed = [] }: { readonly seed?: readonly CostSample[] } = {}): LearnedCosts {
  const classes: (RunTimes | undefined)[] = [];
  const known: number[] = [];
  const lenders: number[] = [];
  const elements = new Float64Array(MOST_CLASSES + 1);
  for (const { shape, rows, ns } of seed) add(shape === undefined ? ANY : indexOf(shape), rows, ns);

  function add(index: number, rows: number, ns: number): void {
    let times = classes[index];
    if (times === undefined) {
      const lender = nearest(index);
      lenders[index] = lender;
      times = createRunTimes(lender < 0 ? undefined : lend(index, lender));
      classes[index] = times;
      known.push(index);
    }
    times.observe(rows, ns);
  }

  function lend(index: number, lender: number): Lender {
    const times = classes[lender]!;
    return {
      typicalNs: (rows) => along(times.typicalNs, rows * sizeAgainst(index, lender)),
      mostRows: () => times.mostRows / sizeAgainst(index, lender),
    };
  }

  /** Rows of `lender` that have as many elements as one of `index`. */
  function sizeAgainst(index: number, lender: number): number {
    return elements[index] === 0 || elements[lender] === 0 ? 1 : elements[index]! / elements[lender]!;
  }

  /** The class with runs whose rows are nearest in size, of equals the one known first; -1: there is none. */
  function nearest(index: number): number {
    let best = -1;
    let bestFactor = Number.POSITIVE_INFINITY;
    for (let at = 0; at < known.length; at++) {
      const ratio = elements[index]! / elements[known[at]!]!;
      const factor = ratio > 0 && ratio < UNKNOWN_FACTOR ? Math.max(ratio, 1 / ratio) : UNKNOWN_FACTOR;
      if (factor < bestFactor) {
        bestFactor = factor;
        best = known[at]!;
      }
    }
    return best;
  }

  function predict(curve: 'typicalNs' | 'p99Ns', index: number, rows: number): number {
    const times = classes[index];
    if (times !== undefined) return along(times[curve], rows);
    const lender = nearest(index);
    if (lender < 0) return Number.POSITIVE_INFINITY;
    return along(classes[lender]![curve], rows * sizeAgainst(index, lender));
  }

  const typicalNs = (shape: ShapeClass, rows: number) => predict('typicalNs', indexOf(shape), rows);
  const p99Ns = (shape: ShapeClass, rows: number) => predict('p99Ns', indexOf(shape), rows);

  function efficientRows(shape: ShapeClass, most: number): number {
    const last = cellBelow(most);
    // Asked for often, and for each size of the grid: its own curve is at hand.
    const own = classes[indexOf(shape)]?.typicalNs;
    const rate = (cell: number) =>
      GRID[cell]! / (own === undefined ? typicalNs(shape, GRID[cell]!) : own[cell]!);
    let best = most / typicalNs(shape, most);
    for (let cell = 0; cell <= last; cell++) best = Math.max(best, rate(cell));
    const enough = best * GOOD_ENOUGH;
    if (!(enough > 0)) return most;
    let cell = 0;
    while (cell <= last && rate(cell) < enough) cell++;
    return cell > last ? most : GRID[cell]!;
  }

  function knownRows(shape: ShapeClass): number {
    const index = indexOf(shape);
    const lender = lenders[index] ?? nearest(index);
    return Math.max(
      classes[index]?.mostRows ?? 0,
      lender < 0 ? 0 : Math.floor(lend(index, lender).mostRows()),
    );
  }

  function largestWithin(shape: ShapeClass, budgetNs: number, most: number): number {
    if (p99Ns(shape, most) <= budgetNs) return most;
    let low = 0;
    let high = most;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (p99Ns(shape, middle) <= budgetNs) low = middle;
      else high = middle;
    }
    return low;
  }

  return {
    typicalNs,
    p99Ns,
    observe: (shape, rows, ns) => add(indexOf(shape), rows, ns),
    efficientRows,
    knownRows,
    largestWithin,
    introduce(shape, elementsPerRow) {
      elements[indexOf(shape)] = elementsPerRow;
    },
  };
}

function indexOf(shape: ShapeClass): number {
  return Math.min(shape, MOST_CLASSES - 1);
}

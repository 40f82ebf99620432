/**
 * How far a forecast allows for what may go wrong: 0, all comes as is typical; 1, runs take their p99, and all who are
 * expected meanwhile come to join them.
 */
export interface Caution {
  readonly level: number;
  /** Somebody who was let in had to be given up after all. */
  gaveUp(): void;
  /** Somebody who was let in was run in time. */
  kept(): void;
}

const STEP = 0.1;
/** Part of those let in that may be given up. */
const TARGET = 0.003;

/**
 * Learned from what became of those who were let in: below capacity hardly anybody is given up and hardly anybody need
 * be refused; under overload who cannot be served is to hear of it at once and not from the queue. Steps that come to
 * rest where the target is met (H. Robbins and S. Monro, A Stochastic Approximation Method, 1951).
 */
export function createCaution(): Caution {
  let level = 0;
  return {
    get level() {
      return level;
    },
    gaveUp() {
      level = Math.min(1, level + STEP * (1 - TARGET));
    },
    kept() {
      level = Math.max(0, level - STEP * TARGET);
    },
  };
}

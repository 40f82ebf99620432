/** What is kept in reserve against giving up requests that were let in. */
export interface Caution {
  /** 0 to 1: how much of what could be done against it is done. */
  readonly level: number;
  /** Part of a newcomer's time that a forecast may not use. */
  readonly spare: number;
  /** Somebody who was let in had to be given up after all. */
  gaveUp(): void;
  /** So many who were let in were run in time. */
  kept(requests: number): void;
}

const STEP = 0.02;
/** Part of those let in that may be given up. */
const TARGET = 0.003;
const MOST_SPARE = 0.05;

/**
 * Learned from what became of those who were let in. Below capacity hardly anybody is given up and nothing need be
 * spared; under overload who cannot be served is to hear of it at once, and not from the queue. Steps that come to rest
 * where the target is met (H. Robbins and S. Monro, A Stochastic Approximation Method, 1951).
 */
export function createCaution(): Caution {
  let level = 0;
  return {
    get level() {
      return level;
    },
    get spare() {
      return level * MOST_SPARE;
    },
    gaveUp() {
      level = Math.min(1, level + STEP * (1 - TARGET));
    },
    kept(requests) {
      level = Math.max(0, level - requests * STEP * TARGET);
    },
  };
}

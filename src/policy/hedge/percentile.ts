/** A percentile of the last values: of 256, worked out anew with every sixteenth. */
export interface Percentile {
  /** Undefined before there were enough to tell. */
  readonly value: number | undefined;
  observe(value: number): void;
}

const KEPT = 256;
const LEAST = 32;
const EVERY = 16;

/** @param percent from 0 to 100 */
export function createPercentile(percent: number): Percentile {
  const kept = new Float64Array(KEPT);
  let seen = 0;
  let value: number | undefined;
  return {
    get value() {
      return value;
    },
    observe(one) {
      kept[seen % KEPT] = one;
      seen += 1;
      if (seen < LEAST || seen % EVERY !== 0) return;
      const sorted = kept.slice(0, Math.min(seen, KEPT)).sort();
      value = sorted[Math.min(sorted.length - 1, Math.floor((percent / 100) * sorted.length))];
    },
  };
}

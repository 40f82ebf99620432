/** How long requests hold memory. */
export interface HoldTime {
  /** Some was given back after so long. */
  released(heldNs: number): void;
  /** After this time most of what is held now will have been given back, in whole milliseconds. */
  readonly ms: number;
}

const UNKNOWN_MS = 1000;
const LEAST_MS = 100;
const MOST_MS = 30_000;
/** Weight of the newest. */
const NEWS = 0.1;

export function createHoldTime(): HoldTime {
  let meanMs: number | undefined;
  return {
    released(heldNs) {
      const heldMs = heldNs / 1e6;
      meanMs = meanMs === undefined ? heldMs : meanMs + NEWS * (heldMs - meanMs);
    },
    get ms() {
      return Math.ceil(Math.min(MOST_MS, Math.max(LEAST_MS, meanMs ?? UNKNOWN_MS)));
    },
  };
}

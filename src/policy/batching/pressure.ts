/** How much of what is asked of a model is asked in vain. */
export interface Pressure {
  /** A request was let in, or refused because it would have been late. */
  decided(isRefused: boolean): void;
  /** A run began with so many requests. */
  ran(requests: number): void;
  /** What time is worth against what could be done in it: 0 while nobody is refused, 1 where it is always short. */
  readonly price: number;
  /** Requests are refused for want of time: whatever time is saved serves another. */
  readonly isHigh: boolean;
}

/** Requests that the refused share reaches back. */
const MEMORY = 64;
/** And as many runs at least: who comes early in one is refused and who comes late is not, or the other way about. */
const RUNS = 4;
/** Runs that their mean size reaches back. */
const RUN_MEMORY = 8;
/** Refused share at which time has its full price. */
const SHORT = 0.1;

export function createPressure(): Pressure {
  let refusedShare = 0;
  let meanRequests = 1;
  const price = () => Math.min(1, refusedShare / SHORT);

  return {
    decided(isRefused) {
      refusedShare += ((isRefused ? 1 : 0) - refusedShare) / Math.max(MEMORY, RUNS * meanRequests);
    },
    ran(requests) {
      meanRequests += (requests - meanRequests) / RUN_MEMORY;
    },
    get price() {
      return price();
    },
    get isHigh() {
      return price() > 0.5;
    },
  };
}

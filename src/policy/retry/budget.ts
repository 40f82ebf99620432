import type { Clock } from '../../base/util/clock.ts';

export interface RetryBudgetOptions {
  /** Retries for each request. Default 0.2. */
  readonly share?: number;
  /** Retries that are granted all the same, a second. Default 3. */
  readonly minPerSecond?: number;
}

/** How many retries are left. */
export interface RetryBudget {
  /** A request came; retries are none. */
  request(): void;
  /** A try ended. */
  ended(hasFailed: boolean): void;
  /** Takes a retry; false: there is none left. */
  take(): boolean;
}

/** Tries that the share of failures reaches back. */
const MEMORY = 64;
/** Most retries that a calm time leaves for a bad one. */
const MOST_SAVED = 100;

/**
 * Every request adds a part of a retry, and a retry takes a whole one, as in Finagle: whatever happens, retries are no
 * more than that share of the requests, besides a few a second for those who send little. The part shrinks with the share
 * of tries that fail: where everything fails, more of the same will not help.
 */
export function createRetryBudget(
  clock: Pick<Clock, 'nowNs'>,
  { share = 0.2, minPerSecond = 3 }: RetryBudgetOptions = {},
): RetryBudget {
  const mostReserve = minPerSecond === 0 ? 0 : Math.max(1, minPerSecond);
  let saved = 0;
  let failing = 0;
  let reserve = mostReserve;
  let reserveAtNs = clock.nowNs();

  return {
    request() {
      saved = Math.min(MOST_SAVED, saved + share * (1 - failing));
    },
    ended(hasFailed) {
      failing += ((hasFailed ? 1 : 0) - failing) / MEMORY;
    },
    take() {
      if (saved >= 1) {
        saved -= 1;
        return true;
      }
      const nowNs = clock.nowNs();
      reserve = Math.min(mostReserve, reserve + ((nowNs - reserveAtNs) / 1e9) * minPerSecond);
      reserveAtNs = nowNs;
      if (reserve < 1) return false;
      reserve -= 1;
      return true;
    },
  };
}

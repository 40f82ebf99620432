import type { Clock, Timer } from './clock.ts';
import { createSeededRandom } from './seeded-random.ts';

export interface FakeClock extends Clock {
  /**
   * Moves time on and runs the timers that fall due, in order of their time, each at its own time. Timers that
   * they set run too if they fall within. Promises are not waited for.
   */
  advance(byMs: number): void;
  /** Timers that were set and neither ran nor were cancelled: a leak where nothing waits any more. */
  readonly pendingTimers: number;
}

interface Pending {
  readonly atNs: number;
  readonly callback: () => void;
}

/** A clock that stands still until it is told to move. Time starts at 0; `random` is repeatable. */
export function createFakeClock({ seed = 1 }: { readonly seed?: number } = {}): FakeClock {
  const pending = new Set<Pending>();
  let nowNs = 0;

  function nextDue(byNs: number): Pending | undefined {
    let next: Pending | undefined;
    for (const timer of pending) {
      if (timer.atNs <= byNs && (next === undefined || timer.atNs < next.atNs)) next = timer;
    }
    return next;
  }

  return {
    nowNs: () => nowNs,
    wallMs: () => nowNs / 1e6,
    random: createSeededRandom(seed),
    setTimer(callback, delayMs): Timer {
      const timer = { atNs: nowNs + Math.max(0, delayMs) * 1e6, callback };
      pending.add(timer);
      return { cancel: () => void pending.delete(timer) };
    },
    advance(byMs) {
      const untilNs = nowNs + byMs * 1e6;
      for (let timer = nextDue(untilNs); timer !== undefined; timer = nextDue(untilNs)) {
        pending.delete(timer);
        nowNs = Math.max(nowNs, timer.atNs);
        timer.callback();
      }
      nowNs = untilNs;
    },
    get pendingTimers() {
      return pending.size;
    },
  };
}

import { systemClock } from '../../base/util/clock.ts';

/** The signals with which people and supervisors end a server. */
const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

export type ShutdownSignal = (typeof SIGNALS)[number];

/**
 * npm passes Ctrl-C on to what it runs, which has it from the terminal already: one keypress arrives as two
 * signals, about a millisecond apart. What follows this soon is no second word of the user's.
 */
const ONE_KEYPRESS_NS = 300e6;

/**
 * Resolves with the first signal. From then on a second one ends the process at once, as does the first while
 * `isInterruptible()`: there is nothing yet that could be finished.
 */
export function waitForSignal(isInterruptible: () => boolean): Promise<ShutdownSignal> {
  return new Promise((resolve) => {
    let firstAtNs: number | undefined;
    for (const signal of SIGNALS) {
      process.on(signal, () => {
        if (isInterruptible()) return endNow(signal);
        const nowNs = systemClock.nowNs();
        if (firstAtNs === undefined) {
          firstAtNs = nowNs;
          resolve(signal);
        } else if (nowNs - firstAtNs > ONE_KEYPRESS_NS) endNow(signal);
      });
    }
  });
}

/**
 * Dies of the signal itself (a shell shows 143 or 130). `process.exit` would first end the worker threads, and
 * ending one in the middle of a run aborts the process with a core dump. Only the first process of a container
 * is immune to its own signals and must take that way.
 */
export function endNow(signal: ShutdownSignal): void {
  for (const name of SIGNALS) process.removeAllListeners(name);
  process.kill(process.pid, signal);
  if (process.pid === 1) process.exit(signal === 'SIGTERM' ? 143 : 130);
}

/** Ends what by then holds the process still: a run that outlasted the grace period, on its thread. */
export function endAfter(delayMs: number, signal: ShutdownSignal): void {
  systemClock.setTimer(() => endNow(signal), delayMs); // which itself holds nothing
}

/** True where `work` was done within `limitMs`. */
export async function isDoneWithin(work: Promise<void>, limitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs);
  });
  try {
    return await Promise.race([work.then(() => true as const), limit]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Time, timers and randomness come through this interface, so that everything that waits or draws is tested
 * on a fake clock.
 */
export interface Clock {
  /** Monotonic time in nanoseconds; a double is exact to under a microsecond for decades of uptime. */
  nowNs(): number;
  /** Wall-clock time in milliseconds since 1970, for people and logs only; never for durations. */
  wallMs(): number;
  /** Runs `callback` once after `delayMs`. The timer never keeps the process alive. */
  setTimer(callback: () => void, delayMs: number): Timer;
  /** Uniform in [0, 1). */
  random(): number;
}

export interface Timer {
  cancel(): void;
}

const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowNs: () => performance.now() * 1e6,
  wallMs: () => Date.now(),
  setTimer(callback, delayMs) {
    const handle = setTimeout(callback, Math.min(Math.max(0, delayMs), MAX_TIMEOUT_MS));
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
  random: Math.random,
};

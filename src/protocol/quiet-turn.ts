import type { Clock } from '../base/util/clock.ts';

export interface QuietTurnOptions {
  readonly clock: Clock;
  /** Connections and requests that have come so far: a count that only grows. */
  readonly arrivals: () => number;
  /** Longest wait where they keep coming, in milliseconds. Default 1000. */
  readonly limitMs?: number;
}

/** The first turn after a call may be the rest of one that has read from some sockets already. */
const QUIET_TURNS = 2;

/**
 * Resolves when the event loop has gone round without a new connection or request. What clients sent before
 * the call has then been read, even if it still lay in the system's buffers: each turn takes a connection that
 * waits (libuv takes one a turn), and reads from those that have something to read.
 */
export async function quietTurn({ clock, arrivals, limitMs = 1000 }: QuietTurnOptions): Promise<void> {
  const endNs = clock.nowNs() + limitMs * 1e6;
  let seen = arrivals();
  for (let quiet = 0; quiet < QUIET_TURNS && clock.nowNs() < endNs; quiet += 1) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (arrivals() === seen) continue;
    seen = arrivals();
    quiet = -1;
  }
}

import type { RunSlot } from './run-slot.ts';

/** Slots of runs in flight: so they are reachable, and with them all that native code reads and writes. */
export const inFlight = new Set<RunSlot>();

let isAgreed = false;

/** A process that exits waits for what runs on libuv's threads. That is ended then. */
export function endRunsAtExit(): void {
  if (isAgreed) return;
  isAgreed = true;
  process.once('exit', () => {
    for (const slot of inFlight) slot.terminate();
  });
}

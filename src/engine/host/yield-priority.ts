import { getPriority, setPriority } from 'node:os';

/**
 * How much a thread of runs stands behind the rest of the process. Enough for the event loop to have a core at once that
 * runs keep busy, so that refusals and health checks do not wait for their time slices; with a core to itself it
 * changes nothing. A step is about a quarter more of a contended core (sched(7)).
 */
const NICE_STEPS = 5;
const NICEST = 19;

/**
 * Lets other threads of the process go before this one and those that it starts. On Linux only, where a priority is a
 * thread's (setpriority(2), notes on NPTL); elsewhere it is the whole process's.
 */
export function yieldPriority(): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(0, Math.min(NICEST, getPriority(0) + NICE_STEPS));
  } catch {
    // Not allowed here: then they share as equals.
  }
}

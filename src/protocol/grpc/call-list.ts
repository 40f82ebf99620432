import type { Call } from './call.ts';

/** The calls that are open now. */
export interface CallList {
  add(call: Call): void;
  /** The call must be there. */
  delete(call: Call): void;
  /** Not to be held while calls come and go. */
  all(): readonly Call[];
}

/**
 * An array in which the last call fills the gap. A Set makes a new table every few calls, each outgrown one pointing
 * to the next: once one of them is old, all calls live on until the next full collection.
 */
export function createCallList(): CallList {
  const calls: Call[] = [];
  return {
    add(call) {
      call.listIndex = calls.length;
      calls.push(call);
    },
    delete(call) {
      const last = calls.pop() as Call;
      if (last === call) return;
      last.listIndex = call.listIndex;
      calls[call.listIndex] = last;
    },
    all: () => calls,
  };
}

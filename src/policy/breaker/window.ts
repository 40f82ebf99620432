/** What a call said of its callee, as bits: 0 is an answer in good time. */
export const GOOD = 0;
export const FAULT = 1;
export const SLOW = 2;

/** What the last calls came to. */
export interface CallWindow {
  readonly calls: number;
  readonly faults: number;
  readonly slow: number;
  note(outcome: number): void;
  clear(): void;
}

/** The last `size` calls. */
export function createCountWindow(size: number): CallWindow {
  const ring = new Uint8Array(size);
  let at = 0;
  let calls = 0;
  let faults = 0;
  let slow = 0;
  return {
    get calls() {
      return calls;
    },
    get faults() {
      return faults;
    },
    get slow() {
      return slow;
    },
    note(outcome) {
      if (calls === size) {
        // All that are kept are good, and so is this one: nothing changes.
        if (outcome === GOOD && faults === 0 && slow === 0) return;
        const oldest = ring[at]!;
        faults -= oldest & FAULT;
        slow -= (oldest & SLOW) >> 1;
      } else calls += 1;
      ring[at] = outcome;
      at = at + 1 === size ? 0 : at + 1;
      faults += outcome & FAULT;
      slow += (outcome & SLOW) >> 1;
    },
    clear() {
      at = 0;
      calls = 0;
      faults = 0;
      slow = 0;
    },
  };
}

/** Parts of a window of time: what is forgotten at once is one of them. */
const PARTS = 10;

/** The calls of the last `lengthMs`, to a tenth of it. */
export function createTimeWindow(nowNs: () => number, lengthMs: number): CallWindow {
  const partNs = (lengthMs * 1e6) / PARTS;
  const calls = new Float64Array(PARTS);
  const faults = new Float64Array(PARTS);
  const slow = new Float64Array(PARTS);
  let part = 0;

  /** The place of now; what lies there from a round before, and what was passed over, is forgotten. */
  function place(): number {
    const now = Math.floor(nowNs() / partNs);
    const passed = Math.min(PARTS, now - part);
    for (let step = 0; step < passed; step++) empty((now - step) % PARTS);
    part = Math.max(part, now);
    return part % PARTS;
  }

  function empty(at: number): void {
    calls[at] = 0;
    faults[at] = 0;
    slow[at] = 0;
  }

  function sum(counts: Float64Array): number {
    place();
    let total = 0;
    for (let at = 0; at < PARTS; at++) total += counts[at]!;
    return total;
  }

  return {
    get calls() {
      return sum(calls);
    },
    get faults() {
      return sum(faults);
    },
    get slow() {
      return sum(slow);
    },
    note(outcome) {
      const at = place();
      calls[at]! += 1;
      faults[at]! += outcome & FAULT;
      slow[at]! += (outcome & SLOW) >> 1;
    },
    clear() {
      for (let at = 0; at < PARTS; at++) empty(at);
    },
  };
}

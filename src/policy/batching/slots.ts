/** The places of runs in flight, and when each is expected to be free. */
export interface Slots {
  readonly count: number;
  readonly free: number;
  /** Takes a free slot; there must be one. */
  take(nowNs: number, expectedNs: number): number;
  release(slot: number): void;
  /** Until another than the first free slot is free: 0 where one is, Infinity where there is no other. */
  nextFreeNs(nowNs: number): number;
  /** Since a run last started; Infinity before the first. */
  sinceStartNs(nowNs: number): number;
  /** When work of `aheadNs` in front is under way and a slot is free again, from now. */
  waitNs(nowNs: number, aheadNs: number): number;
}

export function createSlots(count: number): Slots {
  const freeSlots = Array.from({ length: count }, (_, index) => count - 1 - index);
  const startedNs = new Float64Array(count);
  const expectedNs = new Float64Array(count).fill(-1);
  const remaining = new Float64Array(count);
  let lastStartNs = Number.NEGATIVE_INFINITY;

  /** A run that is over its time is given as much again, but not more than its time once more. */
  function remainingNs(slot: number, nowNs: number): number {
    const expected = expectedNs[slot]!;
    if (expected < 0) return 0;
    const leftNs = startedNs[slot]! + expected - nowNs;
    return leftNs >= 0 ? leftNs : Math.min(-leftNs, expected);
  }

  return {
    count,
    get free() {
      return freeSlots.length;
    },
    take(nowNs, expected) {
      const slot = freeSlots.pop()!;
      startedNs[slot] = nowNs;
      lastStartNs = nowNs;
      expectedNs[slot] = Number.isFinite(expected) ? expected : 0;
      return slot;
    },
    release(slot) {
      expectedNs[slot] = -1;
      freeSlots.push(slot);
    },
    sinceStartNs: (nowNs) => nowNs - lastStartNs,
    nextFreeNs(nowNs) {
      if (freeSlots.length > 1) return 0;
      let leastNs = Number.POSITIVE_INFINITY;
      for (let slot = 0; slot < count; slot++) {
        if (expectedNs[slot]! >= 0) leastNs = Math.min(leastNs, remainingNs(slot, nowNs));
      }
      return leastNs;
    },
    /** As water fills a vessel of uneven ground: the level at which the work ahead has found its place. */
    waitNs(nowNs, aheadNs) {
      for (let slot = 0; slot < count; slot++) remaining[slot] = remainingNs(slot, nowNs);
      remaining.sort();
      let level = Number.POSITIVE_INFINITY;
      let sumNs = aheadNs;
      for (let used = 1; used <= count; used++) {
        sumNs += remaining[used - 1]!;
        level = Math.min(level, sumNs / used);
      }
      return level;
    },
  };
}

/**
 * Time that passes only from event to event. `clock` is what the product's policies ask for (src/base/util/clock.ts);
 * its timers lie in a binary heap, those of the same moment in the order in which they were set.
 *
 * @param {{ random: () => number }} options
 */
export function createVirtualTime({ random }) {
  const heap = [];
  let nowNs = 0;
  let set = 0;

  const isBefore = (left, right) =>
    left.atNs < right.atNs || (left.atNs === right.atNs && left.order < right.order);

  function push(timer) {
    let at = heap.length;
    heap.push(timer);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(timer, heap[parent])) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = timer;
  }

  function pop() {
    const first = heap[0];
    const last = heap.pop();
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) child += 1;
      if (!isBefore(heap[child], last)) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
    return first;
  }

  /** @param {() => void} callback @param {number} atNs a moment that passed is now */
  function setAlarm(callback, atNs) {
    const timer = { atNs: Math.max(nowNs, atNs), order: set, callback };
    set += 1;
    push(timer);
    return {
      cancel() {
        timer.callback = undefined;
      },
    };
  }

  return {
    clock: {
      nowNs: () => nowNs,
      wallMs: () => nowNs / 1e6,
      setTimer: (callback, delayMs) => setAlarm(callback, nowNs + Math.max(0, delayMs) * 1e6),
      random,
    },
    setAlarm,
    /** Goes to the next event and lets it happen. False: there is none. */
    next() {
      while (heap.length > 0) {
        const { atNs, callback } = pop();
        if (callback === undefined) continue;
        nowNs = atNs;
        callback();
        return true;
      }
      return false;
    },
  };
}

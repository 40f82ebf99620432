/**
 * A fixed pair of size and window, first come first served: a free slot runs as soon as `size` requests wait or the
 * oldest has waited for `windowNs`. With `dropAt`, requests that can no longer be in time are refused before they cost
 * anything, by the share of runs that would be as quick as needed: this knows the profile, which no server does.
 *
 * Size 1 without a drop is a server that does not batch. All pairs of a grid together, the best of them taken for each
 * load after the fact, are what the batcher is held against.
 *
 * @param {import('../simulate.mjs').Bench} bench
 * @param {{ size: number, windowNs?: number, dropAt?: number }} options
 * @returns {import('../simulate.mjs').Scheduler}
 */
export function createFixed(bench, { size, windowNs = 0, dropAt }) {
  const queue = createFifo();
  let alarm;

  function dropLate() {
    while (queue.length > 0) {
      const rows = Math.min(queue.length, size);
      const { deadlineNs } = queue.first();
      if (bench.clock.nowNs() + bench.profile.quantileNs(rows, dropAt) <= deadlineNs) return;
      bench.refuse(queue.shift());
    }
  }

  function dispatch() {
    alarm?.cancel();
    alarm = undefined;
    while (bench.freeSlots > 0 && queue.length > 0) {
      if (dropAt !== undefined) dropLate();
      if (queue.length === 0) return;
      const dueNs = queue.first().arrivedNs + windowNs;
      if (queue.length < size && bench.clock.nowNs() < dueNs) {
        alarm = bench.setAlarm(dispatch, dueNs);
        return;
      }
      bench.run(queue.take(size), dispatch);
    }
  }

  return {
    arrive(request) {
      queue.push(request);
      dispatch();
    },
  };
}

/** A queue whose front costs nothing to take, however long it is. */
export function createFifo() {
  let items = [];
  let from = 0;
  return {
    get length() {
      return items.length - from;
    },
    first: () => items[from],
    last: () => items.at(-1),
    push: (item) => void items.push(item),
    shift() {
      const item = items[from];
      from += 1;
      if (from > 1024 && from * 2 > items.length) {
        items = items.slice(from);
        from = 0;
      }
      return item;
    },
    /** The first ones, at most `count`. */
    take(count) {
      const taken = [];
      while (taken.length < count && items.length > from) taken.push(this.shift());
      return taken;
    },
  };
}

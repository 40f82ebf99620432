import { createFifo } from './fixed.mjs';

/** What a batch may grow by after one within the objective, and what it falls to after one beyond. */
const INCREASE = 1;
const DECREASE = 0.9;

/**
 * Clipper's adaptive batching (Crankshaw et al., NSDI 2017, section 4.3.1): a maximum batch size for each container
 * that grows by a fixed amount until a batch takes longer than the latency objective, and then falls by 10 %. An idle
 * container takes what waits, up to it (the paper's delayed batching is an option, off). Requests whose deadline
 * has passed are not run.
 *
 * @param {import('../simulate.mjs').Bench} bench
 * @param {{ maxBatchSize: number, objectiveNs: number }} options the objective of a batch
 * @returns {import('../simulate.mjs').Scheduler}
 */
export function createClipper(bench, { maxBatchSize, objectiveNs }) {
  const queue = createFifo();
  const idle = Array.from({ length: bench.slots }, () => ({ most: 1 }));

  function dispatch() {
    while (idle.length > 0) {
      while (queue.length > 0 && queue.first().deadlineNs <= bench.clock.nowNs()) bench.refuse(queue.shift());
      if (queue.length === 0) return;
      const container = idle.pop();
      const batch = queue.take(Math.floor(container.most));
      bench.run(batch, (ns) => {
        if (ns > objectiveNs) container.most = Math.max(1, container.most * DECREASE);
        // A batch that was not full says nothing of larger ones.
        else if (batch.length >= Math.floor(container.most)) {
          container.most = Math.min(maxBatchSize, container.most + INCREASE);
        }
        idle.push(container);
        dispatch();
      });
    }
  }

  return {
    arrive(request) {
      queue.push(request);
      dispatch();
    },
  };
}

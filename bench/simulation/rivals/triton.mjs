import { createFifo } from './fixed.mjs';

/**
 * Triton's dynamic batcher, after its documentation (user guide, Batchers: preferred_batch_size,
 * max_queue_delay_microseconds, queue policy). A free instance takes the largest preferred size that waits; where none
 * is reached, or once the oldest request has waited for the delay, everything up to the maximum. Without preferred
 * sizes the maximum is the one. With a queue timeout (timeout_action REJECT) a request that waited longer is refused
 * when a batch is formed.
 *
 * @param {import('../simulate.mjs').Bench} bench
 * @param {{ maxBatchSize: number, preferred?: number[], maxQueueDelayNs?: number, timeoutNs?: number }} options
 * @returns {import('../simulate.mjs').Scheduler}
 */
export function createTriton(bench, { maxBatchSize, preferred, maxQueueDelayNs = 0, timeoutNs = Infinity }) {
  const queue = createFifo();
  const sizes = [...(preferred ?? [maxBatchSize])].sort((left, right) => right - left);
  let alarm;

  function rejectExpired() {
    while (queue.length > 0 && bench.clock.nowNs() - queue.first().arrivedNs >= timeoutNs) {
      bench.refuse(queue.shift());
    }
  }

  function dispatch() {
    alarm?.cancel();
    alarm = undefined;
    while (bench.freeSlots > 0) {
      rejectExpired();
      if (queue.length === 0) return;
      const dueNs = queue.first().arrivedNs + maxQueueDelayNs;
      const isDue = bench.clock.nowNs() >= dueNs;
      const reached = isDue ? undefined : sizes.find((size) => size <= queue.length);
      if (!isDue && reached === undefined) {
        alarm = bench.setAlarm(dispatch, dueNs);
        return;
      }
      bench.run(queue.take(reached ?? maxBatchSize), dispatch);
    }
  }

  return {
    arrive(request) {
      queue.push(request);
      dispatch();
    },
  };
}

import { createFifo } from './fixed.mjs';

/** The controller looks again after this long where it waits. */
const TICK_NS = 1e6;
/** Batches that are remembered, and how often the regression is done anew. */
const KEPT = 50;
const REFRESH_NS = 5e9;
/** Batches that teach nothing, since the first ones are slow. */
const SKIPPED = 2;
/** Of the mean wait, what a batch may still wait. */
const DECAY = 0.95;

/**
 * The training at the start, in order: how many batches, of how many requests the controller would have them, and above
 * how many waiting requests those that are late are given up.
 */
const TRAINING = [
  { batches: 8, size: 1, spared: 2 },
  { batches: 1, size: 1, spared: 6 },
  { batches: 1, size: 2, spared: 5 },
  { batches: 1, size: 3, spared: 3 },
];

/**
 * BentoML's adaptive batching, after its documentation (Adaptive batching: max_batch_size, max_latency_ms) and what
 * its dispatcher (1.4) does: a regression `a n + b` over the time of the last batches, and the mean time that the oldest
 * request of a batch waited. Once trained, a controller that looks every millisecond gives the oldest request up where
 * waiting and `a n + b` come to max_latency_ms, waits while `n (age of the newest + tick + a)` is within the mean wait,
 * and else runs what is there.
 *
 * @param {import('../simulate.mjs').Bench} bench
 * @param {{ maxBatchSize: number, maxLatencyNs: number }} options
 * @returns {import('../simulate.mjs').Scheduler}
 */
export function createBentoml(bench, { maxBatchSize, maxLatencyNs }) {
  const queue = createFifo();
  const optimizer = createOptimizer(bench.clock, maxLatencyNs);
  let isAwake = false;
  let stage = 0;
  let trained = 0;

  function look() {
    while (queue.length > 0) {
      const what = stage < TRAINING.length ? train(TRAINING[stage]) : control();
      if (what === 'tick') {
        bench.setAlarm(look, bench.clock.nowNs() + TICK_NS);
        return;
      }
    }
    isAwake = false;
  }

  function train({ batches, size: wanted, spared }) {
    const size = Math.min(wanted, maxBatchSize);
    const { a, b } = optimizer;
    const n = queue.length;
    const oldestNs = bench.clock.nowNs() - queue.first().arrivedNs;
    if (n > spared - trained && oldestNs >= maxLatencyNs) return giveUp();
    if (size > 1) {
      const patienceNs = Math.min(maxLatencyNs * 0.95, (size * 2 + 1) * a + b);
      if (n < size && size * a + b + oldestNs <= patienceNs) return 'tick';
    }
    if (bench.freeSlots === 0) return 'tick';
    run({ isTraining: true });
    trained += 1;
    if (trained === batches) {
      trained = 0;
      stage += 1;
      if (stage > 1) optimizer.refresh();
    }
    return 'again';
  }

  function control() {
    const nowNs = bench.clock.nowNs();
    const n = queue.length;
    const oldestNs = nowNs - queue.first().arrivedNs;
    const newestNs = nowNs - queue.last().arrivedNs;
    const { a, b, waitNs } = optimizer;
    if (n > 1 && oldestNs + a * n + b >= maxLatencyNs) return giveUp();
    if (bench.freeSlots === 0) return n === 1 && oldestNs >= maxLatencyNs ? giveUp() : 'tick';
    if (n < maxBatchSize && n * (newestNs + TICK_NS + a) <= waitNs * DECAY) return 'tick';
    run({ isTraining: false });
    return 'again';
  }

  function giveUp() {
    bench.refuse(queue.shift());
    return 'again';
  }

  function run({ isTraining }) {
    const batch = queue.take(maxBatchSize);
    const waitedNs = isTraining ? 0 : bench.clock.nowNs() - batch[0].arrivedNs;
    bench.run(batch, (ns) => optimizer.observe(batch.length, ns, waitedNs));
  }

  return {
    arrive(request) {
      queue.push(request);
      if (isAwake) return;
      isAwake = true;
      look();
    },
  };
}

function createOptimizer(clock, maxLatencyNs) {
  let kept = [];
  let seen = 0;
  let refreshedNs = Number.NEGATIVE_INFINITY;

  const optimizer = {
    a: Math.min(2e9, (maxLatencyNs * 2) / 30),
    b: Math.min(1e9, maxLatencyNs / 30),
    waitNs: 0,
    observe(rows, ns, waitedNs) {
      seen += 1;
      if (seen <= SKIPPED) return;
      kept = [...kept.slice(1 - KEPT), { rows, ns, waitedNs }];
      if (clock.nowNs() - refreshedNs < REFRESH_NS) return;
      refreshedNs = clock.nowNs();
      optimizer.refresh();
    },
    refresh() {
      if (kept.length === 0) return;
      const { a, b } = leastSquares(kept);
      optimizer.a = Math.max(1e3, a);
      optimizer.b = Math.max(0, b);
      optimizer.waitNs = kept.reduce((sum, { waitedNs }) => sum + waitedNs, 0) / kept.length;
    },
  };
  return optimizer;
}

/** `ns = a rows + b`; where all batches had one size, the solution of least norm, as numpy.linalg.lstsq gives it. */
export function leastSquares(samples) {
  const mean = (of) => samples.reduce((sum, one) => sum + of(one), 0) / samples.length;
  const rows = mean((one) => one.rows);
  const ns = mean((one) => one.ns);
  const variance = mean((one) => (one.rows - rows) ** 2);
  if (variance === 0) return { a: (ns * rows) / (rows * rows + 1), b: ns / (rows * rows + 1) };
  const a = mean((one) => (one.rows - rows) * (one.ns - ns)) / variance;
  return { a, b: ns - a * rows };
}

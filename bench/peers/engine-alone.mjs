/**
 * The bare engine fed with arrivals at their times, without any server: nobody reads, writes or wakes anybody. It knows
 * what runs of each size take (the quickest of some), runs what has come in order, and leaves out who cannot be in time
 * any more. Prints, for each most of rows, what was left out or late, and how long the engine was busy.
 *
 *   MODEL=model.onnx JOB=job.json [TOKENS=32] node engine-alone.mjs
 *
 * The job: `scheduleMs`, ascending; `rampMs`: who comes before is not counted; `objectiveMs`; `mostRows`: a list.
 */
import { readFileSync } from 'node:fs';
import ort from 'onnxruntime-node';

const ARRAYS = { float32: Float32Array, int32: Int32Array, int64: BigInt64Array };
const WARM_RUNS = 5;
const TIMED_RUNS = 7;
const tokens = Number(process.env.TOKENS ?? 32);
const { scheduleMs, rampMs, objectiveMs, mostRows } = JSON.parse(readFileSync(process.env.JOB, 'utf8'));
const session = await ort.InferenceSession.create(process.env.MODEL, {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
});
const feeds = [];
const runMs = [0];
for (let rows = 1; rows <= Math.max(...mostRows); rows += 1) {
  feeds[rows] = feedsOf(rows);
  runMs[rows] = await quickest(feeds[rows]);
}
const lines = [];
for (const most of mostRows) lines.push(await serve(most));
console.log(JSON.stringify(lines));

async function serve(most) {
  const counted = scheduleMs.filter((at) => at >= rampMs).length;
  let next = 0;
  let missed = 0;
  let busyMs = 0;
  let runs = 0;
  const from = performance.now();
  const since = () => performance.now() - from;
  while (next < scheduleMs.length) {
    const nowMs = since();
    const firstMs = scheduleMs[next];
    // It does not sleep: nobody is to wake it.
    if (firstMs > nowMs) continue;
    let rows = 1;
    while (rows < most && next + rows < scheduleMs.length && scheduleMs[next + rows] <= nowMs) rows += 1;
    while (rows > 0 && nowMs + runMs[rows] > firstMs + objectiveMs) rows -= 1;
    if (rows === 0) {
      if (firstMs >= rampMs) missed += 1;
      next += 1;
      continue;
    }
    await session.run(feeds[rows]);
    const doneMs = since();
    busyMs += doneMs - nowMs;
    runs += 1;
    for (let at = next; at < next + rows; at += 1)
      if (scheduleMs[at] >= rampMs && doneMs > scheduleMs[at] + objectiveMs) missed += 1;
    next += rows;
  }
  return { most, missedShare: missed / counted, busyShare: busyMs / since(), runs };
}

async function quickest(feed) {
  for (let i = 0; i < WARM_RUNS; i += 1) await session.run(feed);
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < TIMED_RUNS; i += 1) {
    const from = performance.now();
    await session.run(feed);
    least = Math.min(least, performance.now() - from);
  }
  return least;
}

function feedsOf(rows) {
  const feed = {};
  for (const { name, type, shape } of session.inputMetadata) {
    const dims = shape.map((dim, i) => (i === 0 ? rows : typeof dim === 'number' ? dim : tokens));
    const data = new ARRAYS[type](dims.reduce((a, b) => a * b, 1)).fill(type === 'int64' ? 1n : 0.5);
    feed[name] = new ort.Tensor(type, data, dims);
  }
  return feed;
}

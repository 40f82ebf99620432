/**
 * The ceiling: runs of the bare engine back to back, no server. Prints rows per second, microseconds a run, and the
 * CPU time of a row.
 *
 *   MODEL=model.onnx [TOKENS=32] [SECONDS=3] [ROWS=1] [THREADS=1] node raw-session.mjs
 */
import ort from 'onnxruntime-node';

const ARRAYS = { float32: Float32Array, int32: Int32Array, int64: BigInt64Array };
const MOST_WARM_RUNS = 20;
const MOST_WARM_MS = 500;
const tokens = Number(process.env.TOKENS ?? 32);
const rows = Number(process.env.ROWS ?? 1);
const threads = Number(process.env.THREADS ?? 1);
const forMs = Number(process.env.SECONDS ?? 3) * 1000;
const session = await ort.InferenceSession.create(process.env.MODEL, {
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
});
const feeds = {};
for (const { name, type, shape } of session.inputMetadata) {
  const dims = shape.map((dim, i) => (i === 0 ? rows : typeof dim === 'number' ? dim : tokens));
  const data = new ARRAYS[type](dims.reduce((a, b) => a * b, 1)).fill(type === 'int64' ? 1n : 0.5);
  feeds[name] = new ort.Tensor(type, data, dims);
}
const warmFrom = performance.now();
for (let i = 0; i < MOST_WARM_RUNS && performance.now() - warmFrom < MOST_WARM_MS; i += 1)
  await session.run(feeds);
let runs = 0;
const cpuBefore = process.cpuUsage();
const from = performance.now();
while (performance.now() - from < forMs) {
  await session.run(feeds);
  runs += 1;
}
const ms = performance.now() - from;
const { user, system } = process.cpuUsage(cpuBefore);
console.log(
  JSON.stringify({
    ...{ rows, threads, perSecond: (runs * rows * 1000) / ms },
    ...{ runUs: (ms * 1000) / runs, cpuUsPerRequest: (user + system) / (runs * rows) },
  }),
);

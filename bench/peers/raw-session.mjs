/**
 * The ceiling: runs of the bare engine back to back, no server. Prints runs per second and microseconds a run.
 *
 *   MODEL=model.onnx [TOKENS=32] [SECONDS=3] node raw-session.mjs
 */
import ort from 'onnxruntime-node';

const ARRAYS = { float32: Float32Array, int32: Int32Array, int64: BigInt64Array };
const tokens = Number(process.env.TOKENS ?? 32);
const forMs = Number(process.env.SECONDS ?? 3) * 1000;
const session = await ort.InferenceSession.create(process.env.MODEL, {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
});
const feeds = {};
for (const { name, type, shape } of session.inputMetadata) {
  const dims = shape.map((dim, i) => (i === 0 ? 1 : typeof dim === 'number' ? dim : tokens));
  const data = new ARRAYS[type](dims.reduce((a, b) => a * b, 1)).fill(type === 'int64' ? 1n : 0.5);
  feeds[name] = new ort.Tensor(type, data, dims);
}
for (let i = 0; i < 20; i += 1) await session.run(feeds);
let runs = 0;
const from = performance.now();
while (performance.now() - from < forMs) {
  await session.run(feeds);
  runs += 1;
}
const ms = performance.now() - from;
console.log(JSON.stringify({ perSecond: (runs * 1000) / ms, runUs: (ms * 1000) / runs }));

/**
 * The floor for a refusal: a bare socket that refuses whoever comes, unread but for where a request ends, while the engine
 * runs the model back to back on a thread that stands behind it as nimify's do. Nothing decides, nothing is parsed. A
 * request after a pause is answered with 200: it asks whether the server is up.
 *
 *   MODEL=model.onnx PORT=9000 [ROWS=8] [TOKENS=32] node floor-refusals.mjs
 */
import { createServer } from 'node:net';
import { getPriority, setPriority } from 'node:os';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import ort from 'onnxruntime-node';

/** Longer without a request is a pause: the engine stops, so that the server settles. */
const PAUSE_MS = 200;
/** As src/engine/host/yield-priority.ts. */
const NICE_STEPS = 5;
const ARRAYS = { float32: Float32Array, int32: Int32Array, int64: BigInt64Array };
const HEAD_END = Buffer.from('\r\n\r\n');
const OK = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
const REFUSED = Buffer.from('HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n\r\n');

if (isMainThread) refuse();
else await runWhileAsked();

function refuse() {
  const asked = new Int32Array(new SharedArrayBuffer(4));
  new Worker(new URL(import.meta.url), { workerData: asked });
  let lastAt = Number.NEGATIVE_INFINITY;
  const answer = () => {
    const now = performance.now();
    const isPause = now - lastAt > PAUSE_MS;
    lastAt = now;
    Atomics.add(asked, 0, 1);
    if (isPause) Atomics.notify(asked, 0);
    return isPause ? OK : REFUSED;
  };
  createServer((socket) => {
    let left = 0;
    let head = Buffer.alloc(0);
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      for (let at = 0; at < chunk.length; ) {
        if (left > 0) {
          const taken = Math.min(left, chunk.length - at);
          left -= taken;
          at += taken;
          if (left === 0) socket.write(answer());
          continue;
        }
        head = Buffer.concat([head, chunk.subarray(at)]);
        const end = head.indexOf(HEAD_END);
        if (end < 0) return;
        at = chunk.length - (head.length - end - HEAD_END.length);
        left = Number(/content-length: (\d+)/i.exec(head.latin1Slice(0, end))?.[1] ?? 0);
        head = Buffer.alloc(0);
        if (left === 0) socket.write(answer());
      }
    });
  }).listen(Number(process.env.PORT), '127.0.0.1');
}

async function runWhileAsked() {
  const asked = workerData;
  if (process.platform === 'linux') setPriority(0, Math.min(19, getPriority(0) + NICE_STEPS));
  const session = await ort.InferenceSession.create(process.env.MODEL, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  });
  const feed = feedOf(session.inputMetadata);
  for (;;) {
    const before = Atomics.load(asked, 0);
    const until = performance.now() + PAUSE_MS;
    while (performance.now() < until) await session.run(feed);
    if (Atomics.load(asked, 0) === before) Atomics.wait(asked, 0, before);
  }
}

function feedOf(inputs) {
  const rows = Number(process.env.ROWS ?? 8);
  const tokens = Number(process.env.TOKENS ?? 32);
  const feed = {};
  for (const { name, type, shape } of inputs) {
    const dims = shape.map((dim, i) => (i === 0 ? rows : typeof dim === 'number' ? dim : tokens));
    const data = new ARRAYS[type](dims.reduce((a, b) => a * b, 1)).fill(type === 'int64' ? 1n : 0.5);
    feed[name] = new ort.Tensor(type, data, dims);
  }
  return feed;
}

/**
 * The floor for a server on Node: bare node:http and onnxruntime-node, one model, no checks, no errors, no
 * features. Binary bodies only: the inputs' bytes one after another, one row.
 *
 *   MODEL=model.onnx PORT=9000 [TOKENS=32] node floor-http.mjs
 */
import { createServer } from 'node:http';
import ort from 'onnxruntime-node';

const ARRAYS = { float32: Float32Array, int32: Int32Array, int64: BigInt64Array };
const tokens = Number(process.env.TOKENS ?? 32);
const session = await ort.InferenceSession.create(process.env.MODEL, {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
});
const layout = session.inputMetadata.map(({ name, type, shape }) => {
  const dims = shape.map((dim, i) => (i === 0 ? 1 : typeof dim === 'number' ? dim : tokens));
  return { name, type, dims, count: dims.reduce((a, b) => a * b, 1), array: ARRAYS[type] };
});

createServer((request, response) => {
  if (request.method === 'GET') return response.end();
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', async () => {
    const body = Buffer.concat(chunks);
    const aligned = body.byteOffset % 8 === 0 ? body : Buffer.from(new Uint8Array(body).buffer);
    const feeds = {};
    let at = 0;
    for (const { name, type, dims, count, array } of layout) {
      feeds[name] = new ort.Tensor(type, new array(aligned.buffer, aligned.byteOffset + at, count), dims);
      at += count * array.BYTES_PER_ELEMENT;
    }
    const results = await session.run(feeds);
    const parts = session.outputNames.map((name) => {
      const { data } = results[name];
      return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    });
    response.setHeader(
      'content-length',
      parts.reduce((sum, part) => sum + part.length, 0),
    );
    for (const part of parts) response.write(part);
    response.end();
  });
}).listen(Number(process.env.PORT), '127.0.0.1');

import ort from 'onnxruntime-node';

/**
 * What the floors answer: one row of a model with one FP32 input, from the first request, whose last bytes are the
 * tensor. Later ones get the same bytes again, so that what is measured is the transport and nothing else.
 *
 * @returns {Promise<(body: Buffer) => Promise<Buffer>>} the last output's bytes
 */
export async function createFirstAnswer(path) {
  const session = await ort.InferenceSession.create(path, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const [{ name, shape }] = session.inputMetadata;
  const dims = shape.map((dim, index) => (index === 0 ? 1 : dim));
  const sizeBytes = dims.reduce((a, b) => a * b, 1) * Float32Array.BYTES_PER_ELEMENT;
  return async (body) => {
    const { buffer } = Uint8Array.from(body.subarray(body.length - sizeBytes));
    const results = await session.run({ [name]: new ort.Tensor('float32', new Float32Array(buffer), dims) });
    const { data } = results[session.outputNames.at(-1)];
    return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  };
}

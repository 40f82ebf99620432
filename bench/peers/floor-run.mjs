import { createRequire } from 'node:module';
import ort from 'onnxruntime-node';

const { binding, initOrt } = createRequire(import.meta.url)('onnxruntime-node/dist/binding.js');

const DATATYPES = { float32: 'FP32', int32: 'INT32', int64: 'INT64' };
/** As long as those that nimify makes. */
const REQUEST_ID = '00000000-0000-4000-8000-000000000001';

/**
 * What no server of this protocol can do without, for a model of one FP32 input and one row: the run, by the add-on
 * beneath onnxruntime-node, and an answer of the same bytes as nimify's. Nothing is checked, and the text before the
 * tensors is written once.
 *
 * @returns `answer(request)`, given a request whose last bytes are the tensor: the body; and `headers`, those of every
 *   answer, which are known after the first
 */
export function openFloor(path) {
  initOrt();
  const session = new binding.InferenceSession();
  session.loadModel(path, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const [{ name, shape }] = session.inputMetadata;
  const dims = shape.map((dim, index) => (index === 0 ? 1 : dim));
  const count = dims.reduce((product, dim) => product * dim, 1);
  const names = session.outputMetadata.map((output) => output.name);
  const fetches = Object.fromEntries(names.map((output) => [output, null]));
  const options = {};
  const floor = { headers: undefined, answer };
  let text;

  function answer(request) {
    const data = new Float32Array(count);
    new Uint8Array(data.buffer).set(request.subarray(request.length - data.byteLength));
    const made = session.run({ [name]: new ort.Tensor('float32', data, dims) }, fetches, options);
    text ??= textOf(names, made);
    const tensors = names.map((output) => {
      const { buffer, byteOffset, byteLength } = made[output].data;
      return new Uint8Array(buffer, byteOffset, byteLength);
    });
    const length = tensors.reduce((sum, { byteLength }) => sum + byteLength, text.length);
    floor.headers ??= {
      'content-type': 'application/octet-stream',
      'inference-header-content-length': String(text.length),
      'x-request-id': REQUEST_ID,
      'content-length': String(length),
    };
    const body = Buffer.allocUnsafe(length);
    body.set(text);
    let at = text.length;
    for (const tensor of tensors) {
      body.set(tensor, at);
      at += tensor.byteLength;
    }
    return body;
  }

  return floor;
}

function textOf(names, made) {
  const outputs = names.map((name) => {
    const { type, dims, data } = made[name];
    return {
      ...{ name, datatype: DATATYPES[type], shape: dims },
      parameters: { binary_data_size: data.byteLength },
    };
  });
  return Buffer.from(JSON.stringify({ model_name: 'm', model_version: '1', outputs }));
}

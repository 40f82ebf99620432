import ort from 'onnxruntime-node';
import { ROOT } from '../harness/places.mjs';

/** Rows whose answers are known, of each subject: a request takes some of them. */
const POOL_ROWS = 256;

/**
 * What is asked, on threads and on the main thread: models whose runs give the same bits whatever the rows beside them.
 * For the forest that holds with one thread a run; with more, ONNX Runtime adds up trees in an order that depends on
 * the number of rows. Sequences of two lengths are two shape classes of one model.
 */
const SUBJECTS = [
  {
    ...{
      model: 'iris',
      path: `${ROOT}/examples/demo/iris/model.onnx`,
      engine: { host: 'thread', intraOpThreads: 1 },
    },
    ...{ input: 'X', datatype: 'FP32', rowShape: [4], elementOf: (random) => Math.fround(random() * 8) },
  },
  {
    ...{ model: 'digits', path: `${ROOT}/examples/demo/digits/model.onnx`, engine: { host: 'auto' } },
    ...{ input: 'image', datatype: 'FP32', rowShape: [1, 8, 8] },
    elementOf: (random) => Math.floor(random() * 17),
  },
  ...[2, 5].map((length) => ({
    ...{ model: 'embedding', path: `${ROOT}/test/fixtures/embedding.onnx`, engine: { host: 'thread' } },
    ...{ input: 'ids', datatype: 'INT64', rowShape: [length] },
    elementOf: (random) => BigInt(Math.floor(random() * 20)),
    /** The model refuses it in its run: it must spoil no other request of its batch. */
    refusedValue: 99n,
  })),
];

export const ARRAYS = { FP32: Float32Array, INT64: BigInt64Array };
const ORT_TYPES = { FP32: 'float32', INT64: 'int64' };
const DATATYPES = { float32: 'FP32', int64: 'INT64' };

/** The subjects with the answers to rows of each, by the bare engine, one row a run. */
export async function openSubjects(random) {
  const opened = [];
  for (const subject of SUBJECTS) {
    const { path, input, datatype, rowShape, elementOf } = subject;
    const session = await ort.InferenceSession.create(path, { intraOpNumThreads: 1, logSeverityLevel: 4 });
    const rowLength = rowShape.reduce((product, dimension) => product * dimension, 1);
    const rows = [];
    for (let row = 0; row < POOL_ROWS; row += 1) {
      const data = ARRAYS[datatype].from({ length: rowLength }, () => elementOf(random));
      const feeds = { [input]: new ort.Tensor(ORT_TYPES[datatype], data, [1, ...rowShape]) };
      const answer = await session.run(feeds);
      const outputs = session.outputNames.map((name) => ({
        name,
        datatype: DATATYPES[answer[name].type],
        bytes: Buffer.from(bytesOf(answer[name].data)),
      }));
      rows.push({ data, outputs });
    }
    await session.release();
    opened.push({ ...subject, rowLength, rows });
  }
  return opened;
}

/** The models to serve, each once. */
export function modelsOf(subjects) {
  return [
    ...new Map(subjects.map(({ model, path, engine }) => [model, { name: model, path, engine }])).values(),
  ];
}

export function bytesOf(data) {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

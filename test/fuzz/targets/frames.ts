import fc from 'fast-check';
import { decodeInferResponse } from '../../../src/base/oip/decode-response.ts';
import { encodeInferResponse } from '../../../src/base/oip/encode.ts';
import { readChildError, writeChildError } from '../../../src/engine/host/process-error.ts';
import {
  createFrameReader,
  encodeFrame,
  type Frame,
  HEAD_BYTES,
  MAX_MESSAGE_BYTES,
} from '../../../src/engine/host/process-frame.ts';
import { readHello, writeHello } from '../../../src/engine/host/process-hello.ts';
import { anyTensor } from '../../support/any-tensor.ts';
import { mutated } from '../mutation.ts';
import { type FuzzTarget, require, resultOrRefusal } from '../target.ts';

const WORDS = [
  ...[
    'NIM\u0001',
    'NIM\u0003',
    'NIM\u0008',
    'NIM\u0009',
    'NIM',
    '{"protocol":1',
    '"slots":0',
    '"slots":1e9',
    'null',
  ],
  ...[
    '"shape":[-2]',
    '"shape":[1e30]',
    '"datatype":"FP32"',
    '"batchable":1',
    '"memory_bytes":-1',
    '"dimension_names":[]',
  ],
  ...[
    '"code":"CANCELLED"',
    '"error":5',
    '"binary_data_size":',
    'Traceback (most recent call last):\n',
    'progress 5%\r',
  ],
];

const HELLO = writeHello({
  platform: 'python',
  signature: {
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4], dimensionNames: ['rows', undefined] }],
    outputs: [{ name: 'y', datatype: 'BYTES', shape: [-1], dimensionNames: [undefined], anyRank: true }],
    batchAxis: 0,
  },
  slots: 2,
  deterministic: true,
  memoryBytes: 5,
});

const frame = fc.oneof(
  fc.constant(encodeFrame('hello', 0, [HELLO])),
  fc.constant(encodeFrame('error', 3, [writeChildError(new Error('no'), false)])),
  fc.constantFrom(encodeFrame('pong', 7), encodeFrame('bye', 0)),
  anyTensor({ text: false }).map((tensor) => {
    const message = { model: 'm', version: '', id: '', outputs: [tensor], parameters: {} };
    return encodeFrame('result', 1, encodeInferResponse(message, () => true).chunks);
  }),
);

/** What a child process sends: frames, and the messages in them. The first byte says how the stream is cut. */
export const framesTarget: FuzzTarget = {
  name: 'engine-frames',
  inputs: fc
    .array(frame, { minLength: 1, maxLength: 4 })
    .chain((frames) => mutated([Buffer.concat([Uint8Array.of(255), ...frames.flat()])], WORDS)),
  run(input) {
    const [cut = 0] = input;
    const frames: Frame[] = [];
    const reader = createFrameReader((whole) => frames.push(whole));
    resultOrRefusal(['ENGINE_FAILED'], () => {
      for (let at = 1; at < input.length; at += cut + 1) reader.push(input.subarray(at, at + cut + 1));
    });
    for (const { kind, jsonLength, body } of frames) {
      require(body.length + HEAD_BYTES <= input.length, 'a frame longer than the stream');
      require(body.length <= MAX_MESSAGE_BYTES && jsonLength <= body.length, 'a frame beyond its limits');
      const json = body.subarray(0, jsonLength);
      if (kind === 'hello') resultOrRefusal(['ENGINE_FAILED'], () => readHello(json));
      if (kind === 'error') resultOrRefusal(['ENGINE_FAILED'], () => readChildError(json));
      if (kind === 'result')
        resultOrRefusal(['INVALID_INPUT', 'UNSUPPORTED'], () => decodeInferResponse(body, jsonLength));
    }
  },
};

import { join } from 'node:path';
import fc from 'fast-check';
import { decodeInferRequest } from '../../../src/base/oip/decode.ts';
import { decodeRawRequest } from '../../../src/base/oip/decode-raw.ts';
import { decodeInferResponse } from '../../../src/base/oip/decode-response.ts';
import { encodeInferResponse } from '../../../src/base/oip/encode.ts';
import { encodeInferRequest } from '../../../src/base/oip/encode-request.ts';
import { DATATYPES } from '../../../src/base/tensor/datatype.ts';
import { elementCount, type Tensor } from '../../../src/base/tensor/tensor.ts';
import { anyTensor } from '../../support/any-tensor.ts';
import { filesBelow, mutated } from '../mutation.ts';
import { type FuzzTarget, require, resultOrRefusal } from '../target.ts';

export const WORDS = [
  ...[
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '\\',
    '\\u0000',
    '\\ud800',
    '-',
    '+',
    '.',
    'e',
    'E400',
    'null',
    'true',
  ],
  ...[
    '1e999',
    '-0',
    '0.1',
    '9007199254740993',
    '18446744073709551616',
    'NaN',
    '"Infinity"',
    '\u00ef\u00bb\u00bf',
  ],
  ...['"inputs":', '"outputs":', '"data":', '"shape":', '"datatype":', '"name":', '"parameters":', '"id":'],
  ...['"binary_data_size":', '"binary_data":true', '"binary_data_output":true', '"classification":2'],
  ...['"shared_memory_region":"r"', '"__proto__":', ...DATATYPES.map((datatype) => `"${datatype}"`)],
  ...['[4294967296,4294967296]', '[0,9007199254740991]', '\u00c3\u0028', '[[[[[[[['],
];

const tensors = fc.uniqueArray(anyTensor({ text: true }), { maxLength: 3, selector: ({ name }) => name });

/** A body with the length of its JSON part in front, as one input: 4 bytes, little-endian; all ones for none. */
function framed(body: Uint8Array, headerLength: number | undefined): Uint8Array {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(headerLength ?? 0xffff_ffff);
  return Buffer.concat([head, body]);
}

function unframed(input: Uint8Array): {
  readonly body: Uint8Array;
  readonly headerLength: number | undefined;
} {
  const bytes = Buffer.from(input);
  if (bytes.length < 4) return { body: bytes, headerLength: undefined };
  const length = bytes.readUInt32LE();
  return { body: bytes.subarray(4), headerLength: length === 0xffff_ffff ? undefined : length };
}

/** Messages as encoded by us, changed before or after the length is put in front. */
function changed(messages: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  // A corpus is drawn once for each run of the property; its seed shrinks like any other value.
  return messages.chain((message) => mutated([message], WORDS));
}

export function checkTensors(all: readonly Tensor[]): void {
  require(new Set(all.map(({ name }) => name)).size === all.length, 'a name twice');
  for (const { datatype, shape, data } of all) {
    const count = elementCount(shape);
    require(Number.isSafeInteger(count), `the shape [${shape}]`);
    if (datatype === 'BYTES') {
      if (!('offsets' in data)) throw new Error('BYTES without offsets');
      require(data.offsets.length === count + 1, 'offsets do not fit the shape');
      require(data.offsets.every((at, i) => i === 0 || at >= data.offsets[i - 1]!), 'offsets go back');
      require(data.offsets[count]! <= data.bytes.length, 'offsets beyond the bytes');
    } else require(!('offsets' in data) && data.length === count, 'data do not fit the shape');
  }
}

/** What our scanner takes as JSON is JSON to everybody. */
export function checkJson(body: Uint8Array, headerLength: number | undefined): void {
  JSON.parse(Buffer.from(body.subarray(0, headerLength)).toString());
}

const CODES = ['INVALID_INPUT', 'UNSUPPORTED'] as const;

/** The scanner of inference requests, with and without binary data behind the JSON. */
export function requestTarget(dataFolder: string): FuzzTarget {
  const texts = [
    ...filesBelow('examples/demo', /example\.json$/, 64 * 1024),
    ...filesBelow(join(dataFolder, 'models'), /(^|\/)\w*(request|example)\w*\.json$/, 64 * 1024),
  ].map((text) => framed(text, undefined));
  const encoded = fc.tuple(tensors, fc.boolean()).map(([inputs, binary]) => {
    const { chunks, headerLength } = encodeInferRequest(
      { id: 'r', parameters: { timeout: 5, binary_data_output: true }, inputs, outputs: ['y'] },
      { binary },
    );
    return framed(Buffer.concat(chunks), headerLength);
  });
  return {
    name: 'oip-request',
    inputs: fc.oneof(
      changed(encoded),
      mutated(texts, WORDS),
      fc.json({ maxDepth: 4 }).map((text) => framed(Buffer.from(text), undefined)),
      fc
        .array(fc.constantFrom(...WORDS), { maxLength: 40 })
        .map((words) => framed(Buffer.from(`{"inputs":[{${words.join('')}`, 'latin1'), undefined)),
    ),
    run(input) {
      const { body, headerLength } = unframed(input);
      const decoded = resultOrRefusal(CODES, () => decodeInferRequest(body, headerLength));
      if (decoded === undefined) return;
      checkTensors(decoded.inputs);
      checkJson(body, headerLength);
    },
  };
}

/** The same from the client's side. */
export const responseTarget: FuzzTarget = {
  name: 'oip-response',
  inputs: changed(
    fc.tuple(tensors, fc.nat(7)).map(([outputs, mask]) => {
      const binary = new Set(outputs.filter((_, i) => (mask >> i) & 1).map(({ name }) => name));
      const message = { model: 'm', version: '1', id: 'r', outputs, parameters: { a: 1 } };
      const { chunks, headerLength } = encodeInferResponse(message, (name) => binary.has(name));
      return framed(Buffer.concat(chunks), headerLength);
    }),
  ),
  run(input) {
    const { body, headerLength } = unframed(input);
    const decoded = resultOrRefusal(CODES, () => decodeInferResponse(body, headerLength));
    if (decoded === undefined) return;
    checkTensors(decoded.outputs);
    checkJson(body, headerLength);
  },
};

/** Bodies that are nothing but the bytes of one tensor; the first three bytes choose its datatype and shape. */
export const rawTarget: FuzzTarget = {
  name: 'oip-raw',
  inputs: fc.uint8Array({ minLength: 3, maxLength: 200 }),
  run(input) {
    const [type = 0, rank = 0, sizes = 0] = input;
    const shape = Array.from({ length: rank % 5 }, (_, axis) => [-1, 0, 1, 2][(sizes >> (2 * axis)) & 3]!);
    const spec = { name: 'x', datatype: DATATYPES[type % DATATYPES.length]!, shape };
    const withAxis = type >= 128 ? { ...spec, batchAxis: 0 as const } : spec;
    const decoded = resultOrRefusal(CODES, () => decodeRawRequest(input.subarray(3), withAxis));
    if (decoded !== undefined) checkTensors(decoded.inputs);
  },
};

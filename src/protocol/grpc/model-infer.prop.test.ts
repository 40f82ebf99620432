/** Our own reading and writing of ModelInfer's messages against the generated code's, on messages of every shape. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CONTENTS_FIELD,
  countOf,
  field,
  name,
  rawOf,
  request,
  shape,
  type Typed,
  text,
} from '../../../test/support/any-model-infer.ts';
import { varint } from '../../../test/support/protobuf.ts';
import { type DecodedModelInfer, decodeModelInferRequest } from '../../base/oip/decode-protobuf.ts';
import { encodeModelInferResponse, encodeModelStreamInferResponse } from '../../base/oip/encode-protobuf.ts';
import { createInferMessageSink } from '../../base/oip/infer-message.ts';
import { ARRAY_OF, DATATYPES, type Datatype } from '../../base/tensor/datatype.ts';
import { isBytesData, type Tensor, type TensorData } from '../../base/tensor/tensor.ts';
import {
  type InferParameter,
  type ModelInferRequest,
  ModelInferRequestSchema,
  ModelInferResponseSchema,
  ModelStreamInferResponseSchema,
} from './generated/inference/infer_pb.ts';

/** What the generated code read, in the form of ours. */
function expected(message: ModelInferRequest): DecodedModelInfer {
  return {
    model: message.modelName,
    version: message.modelVersion,
    id: message.id,
    parameters: plain(message.parameters),
    inputs: message.inputs.map(({ name, datatype, shape, contents }, index) => {
      const raw = message.rawInputContents[index];
      const known = datatype as Typed;
      const data =
        raw === undefined
          ? fromElements(known, contents?.[CONTENTS_FIELD[known][1]] ?? [])
          : fromRaw(known, raw);
      return { name, datatype: known, shape: shape.map(Number), data };
    }),
    outputs:
      message.outputs.length === 0
        ? undefined
        : message.outputs.map(({ name, parameters }) => ({
            name,
            binary: true,
            classification: undefined,
            parameters: plain(parameters),
          })),
    binaryByDefault: true,
  };
}

function plain(parameters: Readonly<Record<string, InferParameter>>): DecodedModelInfer['parameters'] {
  return Object.fromEntries(
    Object.entries(parameters).map(([key, { parameterChoice }]) => {
      const { value } = parameterChoice;
      return [key, typeof value === 'bigint' ? Number(value) : (value as string)];
    }),
  );
}

function fromElements(datatype: Typed, elements: readonly unknown[]): TensorData {
  if (datatype === 'BYTES') return packed(elements as readonly Uint8Array[]);
  const numbers = datatype === 'BOOL' ? elements.map(Number) : (elements as number[]);
  return new ARRAY_OF[datatype](numbers as never);
}

function fromRaw(datatype: Datatype, raw: Uint8Array): TensorData {
  if (datatype !== 'BYTES') return new ARRAY_OF[datatype](Uint8Array.from(raw).buffer);
  const elements: Uint8Array[] = [];
  const bytes = Buffer.from(raw);
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    elements.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return packed(elements);
}

function packed(elements: readonly Uint8Array[]): TensorData {
  const offsets = new Uint32Array(elements.length + 1);
  for (const [index, one] of elements.entries()) offsets[index + 1] = offsets[index]! + one.length;
  return { bytes: new Uint8Array(Buffer.concat(elements)), offsets };
}

/** NaNs of every kind must keep their bits, which only a comparison of bytes sees. */
function bits(data: TensorData): unknown {
  if (isBytesData(data))
    return { bytes: Buffer.from(data.bytes).toString('hex'), offsets: [...data.offsets] };
  const bytes = Buffer.from(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength));
  if (data instanceof Float32Array) quieten(bytes);
  return bytes.toString('hex');
}

/** The generated code makes FP32 numbers of JavaScript's, which quietens signalling NaNs; ours keeps them. */
function quieten(bytes: Buffer): void {
  for (let at = 0; at < bytes.length; at += 4) {
    const word = bytes.readUInt32LE(at);
    if ((word & 0x7fffffff) > 0x7f800000) bytes.writeUInt32LE((word | 0x00400000) >>> 0, at);
  }
}

function comparable(decoded: DecodedModelInfer): unknown {
  return { ...decoded, inputs: decoded.inputs.map((one) => ({ ...one, data: bits(one.data) })) };
}

describe('ModelInferRequest', () => {
  it('is read as the generated code reads it', () => {
    fc.assert(
      fc.property(request, (bytes) => {
        const theirs = expected(fromBinary(ModelInferRequestSchema, bytes));
        expect(comparable(decodeModelInferRequest({ bytes }))).toEqual(comparable(theirs));
      }),
      { numRuns: 300 },
    );
  });

  it('is read the same whole and in pieces', () => {
    fc.assert(
      fc.property(request, fc.array(fc.nat(200), { maxLength: 8 }), (bytes, lengths) => {
        const sink = createInferMessageSink(bytes.length);
        let at = 0;
        for (const length of [...lengths, bytes.length]) {
          sink.push(bytes.subarray(at, at + length));
          at = Math.min(bytes.length, at + length);
        }
        expect(comparable(decodeModelInferRequest(sink.take()))).toEqual(
          comparable(decodeModelInferRequest({ bytes })),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('is refused, never misread, where bytes of it changed', () => {
    fc.assert(
      fc.property(request, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1 }), (bytes, changes) => {
        const changed = Uint8Array.from(bytes);
        for (const [at, byte] of changes) if (bytes.length > 0) changed[at % bytes.length] = byte;
        const read = (from: () => Parameters<typeof decodeModelInferRequest>[0]) => {
          try {
            return comparable(decodeModelInferRequest(from()));
          } catch (refused) {
            expect(refused).toMatchObject({ name: 'NimifyError' });
            return 'refused';
          }
        };
        const sink = createInferMessageSink(changed.length);
        sink.push(changed);
        expect(read(() => sink.take())).toEqual(read(() => ({ bytes: changed })));
      }),
      { numRuns: 500 },
    );
  });

  it('is refused where a length has more bits than any message, whole or in pieces', () => {
    const overlong = field(7, 2, varint(2n ** 56n + 4n), Buffer.alloc(4));
    const sink = createInferMessageSink(overlong.length);
    sink.push(overlong);
    expect(() => sink.take()).toThrow('a whole ModelInferRequest');
    expect(() => decodeModelInferRequest({ bytes: overlong })).toThrow(
      'raw_input_contents: expected a whole',
    );
  });
});

const tensor: fc.Arbitrary<Tensor> = fc
  .tuple(name, fc.constantFrom(...DATATYPES), fc.oneof(shape, fc.constant([40, 40])))
  .chain(([named, datatype, sizes]) =>
    rawOf(datatype, countOf(sizes)).map((raw) => ({
      name: named,
      datatype,
      shape: sizes,
      data: fromRaw(datatype, raw),
    })),
  );

const response = fc.record({
  model: text,
  version: text,
  id: fc.oneof(text, fc.constant('x'.repeat(300))),
  outputs: fc.array(tensor, { maxLength: 3 }),
  parameters: fc.dictionary(
    text.filter((key) => key !== '__proto__'),
    fc.oneof(text, fc.boolean(), fc.maxSafeInteger(), fc.double({ noNaN: true })),
    { maxKeys: 3 },
  ),
});

describe('ModelInferResponse', () => {
  it('is written so that the generated code reads it back', () => {
    fc.assert(
      fc.property(response, fc.nat(8), (answer, headroom) => {
        const { chunks, byteLength } = encodeModelInferResponse(answer, headroom);
        const bytes = Buffer.concat(chunks).subarray(headroom);
        expect(bytes.length).toBe(byteLength);
        const read = fromBinary(ModelInferResponseSchema, bytes);
        expect([read.modelName, read.modelVersion, read.id]).toEqual([
          answer.model,
          answer.version,
          answer.id,
        ]);
        const values = Object.entries(read.parameters).map(([key, { parameterChoice }]) => {
          const { value } = parameterChoice;
          return [key, typeof value === 'bigint' ? Number(value) : value];
        });
        expect(Object.fromEntries(values)).toEqual(
          Object.fromEntries(
            // Integers have no -0.
            Object.entries(answer.parameters).map(([key, value]) => [key, value === 0 ? 0 : value]),
          ),
        );
        expect(read.outputs.map(({ name, datatype, shape }) => ({ name, datatype, shape }))).toEqual(
          answer.outputs.map(({ name, datatype, shape }) => ({ name, datatype, shape: shape.map(BigInt) })),
        );
        expect(
          read.rawOutputContents.map((raw, index) => bits(fromRaw(answer.outputs[index]!.datatype, raw))),
        ).toEqual(answer.outputs.map(({ data }) => bits(data)));
      }),
      { numRuns: 200 },
    );
  });

  it('is the same within a stream', () => {
    fc.assert(
      fc.property(response, (answer) => {
        const alone = Uint8Array.from(Buffer.concat(encodeModelInferResponse(answer, 0).chunks));
        const chunks = encodeModelStreamInferResponse(answer, 5).chunks;
        const streamed = Uint8Array.from(Buffer.concat(chunks)).subarray(5);
        const read = fromBinary(ModelStreamInferResponseSchema, streamed);
        expect(read.errorMessage).toBe('');
        const again = toBinary(
          ModelInferResponseSchema,
          read.inferResponse ?? create(ModelInferResponseSchema),
        );
        expect(fromBinary(ModelInferResponseSchema, again)).toEqual(
          fromBinary(ModelInferResponseSchema, alone),
        );
      }),
      { numRuns: 100 },
    );
  });
});

/** Our own reading and writing of ModelInfer's messages against the generated code's, on messages of every shape. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DecodedModelInfer, decodeModelInferRequest } from '../../base/oip/decode-protobuf.ts';
import { encodeModelInferResponse, encodeModelStreamInferResponse } from '../../base/oip/encode-protobuf.ts';
import { createInferMessageSink } from '../../base/oip/infer-message.ts';
import { ARRAY_OF, DATATYPES, type Datatype, elementSizeBytes } from '../../base/tensor/datatype.ts';
import { isBytesData, type Tensor, type TensorData } from '../../base/tensor/tensor.ts';
import {
  type InferParameter,
  type ModelInferRequest,
  ModelInferRequestSchema,
  ModelInferResponseSchema,
  ModelStreamInferResponseSchema,
} from './generated/inference/infer_pb.ts';

const CONTENTS_FIELD = {
  BOOL: [1, 'boolContents'],
  INT8: [2, 'intContents'],
  INT16: [2, 'intContents'],
  INT32: [2, 'intContents'],
  INT64: [3, 'int64Contents'],
  UINT8: [4, 'uintContents'],
  UINT16: [4, 'uintContents'],
  UINT32: [4, 'uintContents'],
  UINT64: [5, 'uint64Contents'],
  FP32: [6, 'fp32Contents'],
  FP64: [7, 'fp64Contents'],
  BYTES: [8, 'bytesContents'],
} as const;
type Typed = keyof typeof CONTENTS_FIELD;

function varint(value: bigint | number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}
const field = (number: number, wireType: number, ...rest: Uint8Array[]) =>
  Buffer.concat([varint(number * 8 + wireType), ...rest]);
const delimited = (number: number, value: Uint8Array | string) => {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return field(number, 2, varint(bytes.length), bytes);
};

/** Fields that no message here has: of every wire type, groups within groups too. */
const unknown = fc.constantFrom(
  field(99, 0, varint(300)),
  field(2000, 1, Buffer.alloc(8, 7)),
  delimited(63, 'what is this'),
  field(77, 5, Buffer.alloc(4, 1)),
  Buffer.concat([field(50, 3), delimited(7, 'no raw contents'), field(51, 3), field(51, 4), field(50, 4)]),
);

/** The pieces in any order, with fields among them that nobody knows. */
const shuffled = (pieces: fc.Arbitrary<readonly Buffer[]>) =>
  fc
    .tuple(pieces, fc.array(unknown, { maxLength: 2 }))
    .chain(([known, extra]) =>
      fc.shuffledSubarray([...known, ...extra], { minLength: known.length + extra.length }),
    )
    .map((all) => Buffer.concat(all));

const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
const SAFE = { min: BigInt(Number.MIN_SAFE_INTEGER), max: BigInt(Number.MAX_SAFE_INTEGER) };

const parameterValue = fc
  .array(
    fc.oneof(
      fc.boolean().map((value) => field(1, 0, varint(Number(value)))),
      fc.bigInt(SAFE).map((value) => field(2, 0, varint(value))),
      text.map((value) => delimited(3, value)),
      fc.double({ noNaN: true }).map((value) => {
        const bytes = Buffer.alloc(8);
        bytes.writeDoubleLE(value);
        return field(4, 1, bytes);
      }),
      fc.bigInt({ min: 0n, max: SAFE.max }).map((value) => field(5, 0, varint(value))),
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((choices) => Buffer.concat(choices));
const parameter = (number: number) =>
  shuffled(
    fc.tuple(
      text.map((key) => delimited(1, key)),
      parameterValue.map((value) => delimited(2, value)),
    ),
  ).map((entry) => delimited(number, entry));

/** One element of a datatype, as it stands in its contents field without a tag. */
function element(datatype: Typed): fc.Arbitrary<Buffer> {
  if (datatype === 'BOOL') return fc.boolean().map((value) => varint(Number(value)));
  if (datatype === 'BYTES') return fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes));
  if (datatype === 'FP32')
    return fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => Buffer.from(bytes));
  if (datatype === 'FP64')
    return fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => Buffer.from(bytes));
  const bits = BigInt(elementSizeBytes(datatype) * 8);
  if (datatype.startsWith('U')) return fc.bigInt({ min: 0n, max: 2n ** bits - 1n }).map(varint);
  return fc.bigInt({ min: -(2n ** (bits - 1n)), max: 2n ** (bits - 1n) - 1n }).map(varint);
}

/** The elements in runs, each packed or one by one, the runs spread over several contents messages. */
function contents(datatype: Typed, count: number): fc.Arbitrary<readonly Buffer[]> {
  const number = CONTENTS_FIELD[datatype][0];
  const wireType = datatype === 'FP32' ? 5 : datatype === 'FP64' ? 1 : 0;
  return fc
    .tuple(
      fc.array(element(datatype), { minLength: count, maxLength: count }),
      fc.array(fc.tuple(fc.nat(count), fc.boolean(), fc.boolean()), { minLength: 1, maxLength: 4 }),
    )
    .map(([elements, cuts]) => {
      const messages: Buffer[] = [Buffer.alloc(0)];
      let rest = elements;
      const runs = [...cuts, [count, true, false] as const];
      for (const [length, isPacked, isNext] of runs) {
        const run = rest.slice(0, length);
        rest = rest.slice(length);
        const written =
          datatype === 'BYTES'
            ? run.map((one) => delimited(number, one))
            : isPacked
              ? [delimited(number, Buffer.concat(run))]
              : run.map((one) => field(number, wireType, one));
        messages.push(Buffer.concat([messages.pop() as Buffer, ...written]));
        if (isNext) messages.push(Buffer.alloc(0));
      }
      return messages.map((message) => delimited(5, message));
    });
}

const shape = fc.array(fc.nat(3), { maxLength: 3 });
const shapeField = (sizes: readonly number[]) =>
  fc
    .boolean()
    .map((isPacked) =>
      isPacked
        ? delimited(3, Buffer.concat(sizes.map(varint)))
        : Buffer.concat(sizes.map((size) => field(3, 0, varint(size)))),
    );
const countOf = (sizes: readonly number[]) => sizes.reduce((product, size) => product * size, 1);

function rawOf(datatype: Datatype, count: number): fc.Arbitrary<Buffer> {
  if (datatype === 'BYTES') {
    return fc.array(fc.uint8Array({ maxLength: 9 }), { minLength: count, maxLength: count }).map((all) =>
      Buffer.concat(
        all.flatMap((bytes) => {
          const length = Buffer.alloc(4);
          length.writeUInt32LE(bytes.length);
          return [length, bytes];
        }),
      ),
    );
  }
  const size = count * elementSizeBytes(datatype);
  if (datatype === 'BOOL')
    return fc.array(fc.nat(1), { minLength: size, maxLength: size }).map((all) => Buffer.from(all));
  return fc.uint8Array({ minLength: size, maxLength: size }).map((bytes) => Buffer.from(bytes));
}

const input = (isRaw: boolean, index: number) =>
  fc
    .tuple(fc.constantFrom(...DATATYPES.filter((one) => isRaw || one in CONTENTS_FIELD)), shape)
    .chain(([datatype, sizes]) =>
      fc.tuple(
        shuffled(
          fc
            .tuple(
              name.map((one) => delimited(1, `${index}${one}`)),
              shapeField(sizes),
              fc.array(parameter(4), { maxLength: 2 }),
              isRaw ? fc.constant([]) : contents(datatype as Typed, countOf(sizes)),
            )
            .map(([named, sized, parameters, parts]) => [
              named,
              delimited(2, datatype),
              sized,
              ...parameters,
              ...parts,
            ]),
        ).map((body) => delimited(5, body)),
        isRaw
          ? rawOf(datatype, countOf(sizes)).map((raw) => delimited(7, raw))
          : fc.constant(Buffer.alloc(0)),
      ),
    );

const output = (index: number) =>
  shuffled(
    fc
      .tuple(name, fc.array(parameter(2), { maxLength: 2 }))
      .map(([one, parameters]) => [delimited(1, `${index}${one}`), ...parameters]),
  ).map((body) => delimited(6, body));

const request = fc.tuple(fc.boolean(), fc.nat(3), fc.nat(2)).chain(([isRaw, inputs, outputs]) =>
  shuffled(
    fc
      .tuple(
        fc.tuple(...Array.from({ length: inputs }, (_, index) => input(isRaw, index))),
        fc.tuple(...Array.from({ length: outputs }, (_, index) => output(index))),
        fc.array(parameter(4), { maxLength: 3 }),
        fc.array(
          text.map((one) => delimited(1, one)),
          { maxLength: 2 },
        ),
        fc.array(
          text.map((one) => delimited(2, one)),
          { maxLength: 2 },
        ),
        fc.array(
          text.map((one) => delimited(3, one)),
          { maxLength: 2 },
        ),
      )
      .map(([tensors, wanted, ...rest]) => {
        // Raw contents belong to the inputs by their order, so both keep theirs.
        const bodies = Buffer.concat(tensors.map(([body]) => body));
        const raws = Buffer.concat(tensors.map(([, raw]) => raw));
        return [bodies, raws, ...wanted, ...rest.flat()];
      }),
  ),
);

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

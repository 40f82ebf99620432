import fc from 'fast-check';
import { DATATYPES, type Datatype, elementSizeBytes } from '../../src/base/tensor/datatype.ts';
import { varint } from './protobuf.ts';

/** ModelInferRequests of every shape, as bytes, written apart from all code that reads or writes them. */

/** The fields of InferTensorContents: their numbers, and what the generated code calls them. */
export const CONTENTS_FIELD = {
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
export type Typed = keyof typeof CONTENTS_FIELD;

export const field = (number: number, wireType: number, ...rest: Uint8Array[]) =>
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

export const text = fc.string({ unit: 'grapheme', maxLength: 12 });
export const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
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

export const shape = fc.array(fc.nat(3), { maxLength: 3 });
const shapeField = (sizes: readonly number[]) =>
  fc
    .boolean()
    .map((isPacked) =>
      isPacked
        ? delimited(3, Buffer.concat(sizes.map(varint)))
        : Buffer.concat(sizes.map((size) => field(3, 0, varint(size)))),
    );
export const countOf = (sizes: readonly number[]) => sizes.reduce((product, size) => product * size, 1);

export function rawOf(datatype: Datatype, count: number): fc.Arbitrary<Buffer> {
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

export const request = fc.tuple(fc.boolean(), fc.nat(3), fc.nat(2)).chain(([isRaw, inputs, outputs]) =>
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

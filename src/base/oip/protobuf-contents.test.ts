import { describe, expect, it } from 'vitest';
import { packed, protobuf } from '../../../test/support/protobuf.ts';
import type { Datatype } from '../tensor/datatype.ts';
import { decodeContents } from './protobuf-contents.ts';

/** Decodes parts that stand one after the other, with bytes around them that are not theirs. */
function decode(datatype: Datatype, count: number, ...parts: readonly Uint8Array[]) {
  const bytes = Buffer.concat([Uint8Array.of(0xff), ...parts, Uint8Array.of(0xff)]);
  let end = 1;
  const spans = parts.map((part) => {
    const start = end;
    end += part.length;
    return { start, end };
  });
  return decodeContents(bytes, spans, datatype, count, 'inputs[0]');
}

const floats = (...values: readonly number[]) => new Uint8Array(Float32Array.from(values).buffer);
const doubles = (...values: readonly number[]) => new Uint8Array(Float64Array.from(values).buffer);
const fixed32 = (field: number, value: Uint8Array) => Buffer.concat([Uint8Array.of((field << 3) | 5), value]);

describe('decodeContents', () => {
  it('reads packed elements of every datatype', () => {
    expect(decode('BOOL', 3, protobuf({ 1: packed(1, 0, 2 ** 32) }))).toEqual(Uint8Array.of(1, 0, 1));
    expect(decode('INT8', 2, protobuf({ 2: packed(-128, 127) }))).toEqual(Int8Array.of(-128, 127));
    expect(decode('INT16', 2, protobuf({ 2: packed(-32_768, 32_767) }))).toEqual(
      Int16Array.of(-32_768, 32_767),
    );
    expect(decode('INT32', 2, protobuf({ 2: packed(-(2 ** 31), 2 ** 31 - 1) }))).toEqual(
      Int32Array.of(-(2 ** 31), 2 ** 31 - 1),
    );
    expect(decode('INT64', 2, protobuf({ 3: packed(-1, 2 ** 40) }))).toEqual(
      BigInt64Array.of(-1n, 2n ** 40n),
    );
    expect(decode('UINT8', 2, protobuf({ 4: packed(0, 255) }))).toEqual(Uint8Array.of(0, 255));
    expect(decode('UINT16', 2, protobuf({ 4: packed(0, 65_535) }))).toEqual(Uint16Array.of(0, 65_535));
    expect(decode('UINT32', 2, protobuf({ 4: packed(0, 2 ** 32 - 1) }))).toEqual(
      Uint32Array.of(0, 2 ** 32 - 1),
    );
    expect(decode('UINT64', 2, protobuf({ 5: packed(1, -1) }))).toEqual(
      BigUint64Array.of(1n, 2n ** 64n - 1n),
    );
    expect(decode('FP32', 2, protobuf({ 6: floats(1.5, -0) }))).toEqual(Float32Array.of(1.5, -0));
    expect(decode('FP64', 2, protobuf({ 7: doubles(0.1, 2) }))).toEqual(Float64Array.of(0.1, 2));
  });

  it('reads texts, empty ones too', () => {
    expect(decode('BYTES', 3, protobuf({ 8: ['ab', '', 'c'] }))).toEqual({
      bytes: new Uint8Array(Buffer.from('abc')),
      offsets: Uint32Array.of(0, 2, 2, 3),
    });
  });

  it('adds up parts and runs, packed and one by one', () => {
    const parts = [protobuf({ 2: packed(1, 2) }), protobuf({ 2: [3, 4] }), protobuf({ 2: packed(5) })];
    expect(decode('INT32', 5, ...parts)).toEqual(Int32Array.of(1, 2, 3, 4, 5));
    const mixed = [
      Buffer.concat([fixed32(6, floats(1)), protobuf({ 6: floats(2, 3) })]),
      fixed32(6, floats(4)),
    ];
    expect(decode('FP32', 4, ...mixed)).toEqual(Float32Array.of(1, 2, 3, 4));
  });

  it('reads no elements as none', () => {
    expect(decode('FP32', 0)).toEqual(new Float32Array(0));
    expect(decode('INT32', 0, protobuf({ 2: new Uint8Array(0) }))).toEqual(new Int32Array(0));
  });

  it('passes over fields that nobody knows, and over empty packed fields of other datatypes', () => {
    const others = protobuf({ 1: new Uint8Array(0), 7: new Uint8Array(0), 20: 'unknown', 31: 5 });
    expect(decode('INT32', 1, Buffer.concat([others, protobuf({ 2: packed(7) })]))).toEqual(Int32Array.of(7));
  });

  it.each([
    ['a packed field', protobuf({ 3: packed(1) }), 'int64_contents'],
    ['a single number', protobuf({ 4: 0 }), 'uint_contents'],
    ['a text, though it is empty', protobuf({ 8: '' }), 'bytes_contents'],
  ])('refuses elements of another datatype: %s', (_, part, name) => {
    expect(() => decode('INT32', 1, part)).toThrow(
      `inputs[0].contents: expected INT32 in int_contents, got elements in ${name}`,
    );
  });

  it('refuses typed 16-bit floats', () => {
    for (const datatype of ['FP16', 'BF16'] as const) {
      expect(() => decode(datatype, 1, protobuf({ 6: floats(1) }))).toThrow(
        `inputs[0].contents: expected ${datatype} in raw_input_contents, got typed contents`,
      );
    }
  });

  it.each([
    ['INT8', 2, -129, 'INT8 from -128 to 127'],
    ['INT8', 2, 128, 'INT8 from -128 to 127'],
    ['INT16', 2, -32_769, 'INT16 from -32768 to 32767'],
    ['INT16', 2, 32_768, 'INT16 from -32768 to 32767'],
    ['UINT8', 4, 256, 'UINT8 from 0 to 255'],
    ['UINT16', 4, 65_536, 'UINT16 from 0 to 65535'],
  ] as const)('refuses what is out of range for %s', (datatype, field, value, expected) => {
    const place = `inputs[0].contents.${field === 2 ? 'int_contents' : 'uint_contents'}`;
    expect(() => decode(datatype, 2, protobuf({ [field]: packed(0, value) }))).toThrow(
      `${place}[1]: expected ${expected}, got ${value}`,
    );
  });

  it('refuses another number of elements than the shape says', () => {
    const place = 'inputs[0].contents.int_contents';
    expect(() => decode('INT32', 4, protobuf({ 2: packed(1, 2, 3) }))).toThrow(
      `${place}: expected 4 elements as the shape says, got 3`,
    );
    for (const part of [packed(1, 2), [1, 2]] as const) {
      expect(() => decode('INT32', 1, protobuf({ 2: part }))).toThrow(
        `${place}: expected 1 element as the shape says, got more`,
      );
    }
    expect(() => decode('FP32', 1, protobuf({ 6: floats(1, 2) }))).toThrow(
      'inputs[0].contents.fp32_contents: expected 1 element as the shape says, got more',
    );
    expect(() => decode('FP32', 2, protobuf({ 6: [floats(1, 2), floats(3)] }))).toThrow('got more');
    expect(() => decode('FP32', 3, protobuf({ 6: floats(1, 2) }))).toThrow('got 2');
    expect(() => decode('BYTES', 1, protobuf({ 8: ['a', 'b'] }))).toThrow(
      'inputs[0].contents.bytes_contents: expected 1 element as the shape says, got more',
    );
    expect(() => decode('BYTES', 2, protobuf({ 8: ['abc'] }))).toThrow(
      'expected 2 elements as the shape says, got 1',
    );
  });

  it('reserves nothing for a count that the bytes cannot hold', () => {
    expect(() => decode('FP64', 2 ** 50, protobuf({ 7: doubles(1) }))).toThrow(
      'inputs[0].contents.fp64_contents: expected 1125899906842624 elements as the shape says, got 10 bytes',
    );
    // One byte per element is the least, and enough.
    expect(decode('INT32', 3, protobuf({ 2: 1 }), protobuf({ 2: [2, 3] }))).toEqual(Int32Array.of(1, 2, 3));
  });

  it('refuses floats that are cut short', () => {
    expect(() => decode('FP32', 2, protobuf({ 6: floats(1, 2).subarray(0, 7) }))).toThrow(
      'inputs[0].contents.fp32_contents: expected a multiple of 4 bytes, got 7 bytes',
    );
    expect(() => decode('FP32', 1, fixed32(6, floats(1).subarray(0, 3)))).toThrow(
      'inputs[0].contents.fp32_contents: expected a multiple of 4 bytes, got 3 bytes',
    );
  });

  it('refuses a packed number that goes on behind its field', () => {
    const cut = Buffer.concat([protobuf({ 2: Uint8Array.of(1, 0x80) }), protobuf({ 2: 1 })]);
    expect(() => decode('INT32', 3, cut)).toThrow('one that ends within a field');
  });

  it.each([
    ['BYTES', 8, 0],
    ['INT32', 2, 5],
    ['FP32', 6, 0],
  ] as const)(
    'passes over the field of %s in a wire type that it does not have',
    (datatype, field, wireType) => {
      const strange = Uint8Array.of((field << 3) | wireType, ...(wireType === 0 ? [1] : [1, 2, 3, 4]));
      expect(() => decode(datatype, 1, strange)).toThrow('expected 1 element as the shape says, got 0');
    },
  );
});

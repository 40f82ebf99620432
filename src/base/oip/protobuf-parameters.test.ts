import { describe, expect, it } from 'vitest';
import { protobuf } from '../../../test/support/protobuf.ts';
import { createCursor } from './protobuf-cursor.ts';
import { readParameter } from './protobuf-parameters.ts';

type Entry = Parameters<typeof protobuf>[0];

/** Reads entries one after the other, as the fields of one map. */
function read(...entries: readonly (Entry | Uint8Array)[]) {
  const parameters = new Map<string, string | number | boolean>();
  for (const entry of entries) {
    const content = entry instanceof Uint8Array ? entry : protobuf(entry);
    const bytes = Buffer.concat([Uint8Array.of(content.length), content]);
    const cursor = createCursor(Buffer.concat([bytes, Uint8Array.of(0xff)]), 0, bytes.length);
    readParameter(cursor, parameters, 'parameters');
    expect(cursor.at).toBe(bytes.length);
  }
  return Object.fromEntries(parameters);
}

/** An InferParameter with an int64_param of these bytes. */
const integer = (field: number, ...bytes: readonly number[]) => Uint8Array.of(field << 3, ...bytes);

function double(value: number): Uint8Array {
  const bytes = Buffer.alloc(9, (4 << 3) | 1);
  bytes.writeDoubleLE(value, 1);
  return bytes;
}

describe('readParameter', () => {
  it('reads each of the choices', () => {
    expect(
      read(
        { 1: 'true', 2: { 1: 1 } },
        { 1: 'false', 2: { 1: 0 } },
        { 1: 'high bits', 2: integer(1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01) },
        { 1: 'int64', 2: { 2: -5 } },
        { 1: 'text', 2: { 3: 'a' } },
        { 1: 'double', 2: double(0.1) },
        { 1: 'uint64', 2: { 5: 7 } },
      ),
    ).toEqual({
      true: true,
      false: false,
      'high bits': true,
      int64: -5,
      text: 'a',
      double: 0.1,
      uint64: 7,
    });
  });

  it('reads the value before its key, and passes over what it does not know', () => {
    const value = protobuf({ 2: { 3: 'a', 9: 'unknown' } });
    const key = protobuf({ 1: 'key', 6: 1 });
    expect(read(Buffer.concat([value, key]))).toEqual({ key: 'a' });
  });

  it('takes the empty key where there is none', () => {
    expect(read({ 2: { 3: 'a' } })).toEqual({ '': 'a' });
  });

  it('takes the last of several', () => {
    expect(read({ 1: ['a', 'b'], 2: [{ 3: 'x' }, { 2: 5 }] })).toEqual({ b: 5 });
    expect(read({ 1: 'a', 2: { 3: 'x' } }, { 1: 'a', 2: { 1: 1 } })).toEqual({ a: true });
    expect(read({ 1: 'a', 2: [{ 3: 'x' }, {}] })).toEqual({ a: 'x' });
  });

  it('refuses an entry without a value', () => {
    const message = "parameters['a']: expected a value in one of its five fields, got none";
    expect(() => read({ 1: 'a' })).toThrow(message);
    expect(() => read({ 1: 'a', 2: { 9: 1 } })).toThrow(message);
  });

  it('refuses integers that a number does not hold, and takes those that it does', () => {
    const most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f];
    expect(read({ 1: 'a', 2: integer(2, ...most) })).toEqual({ a: Number.MAX_SAFE_INTEGER });
    expect(read({ 1: 'a', 2: integer(5, ...most) })).toEqual({ a: Number.MAX_SAFE_INTEGER });
    const message =
      "parameters['a']: expected a number that a double holds exactly (else send it as a string), got another";
    const more = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10];
    const unsigned = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    expect(() => read({ 1: 'a', 2: integer(2, ...more) })).toThrow(message);
    expect(() => read({ 1: 'a', 2: integer(5, ...more) })).toThrow(message);
    expect(() => read({ 1: 'a', 2: integer(5, ...unsigned) })).toThrow(message);
    expect(read({ 1: 'a', 2: integer(2, ...unsigned) })).toEqual({ a: -1 });
    expect(() => read({ 1: 'a', 2: double(Number.NaN) })).toThrow(message);
  });

  it('refuses a double that is cut short', () => {
    expect(() => read({ 1: 'a', 2: double(1).subarray(0, 8) })).toThrow('one that ends within a field');
  });

  it('refuses more entries than 16384', () => {
    const parameters = new Map<string, string | number | boolean>();
    const add = (key: string) => {
      const entry = protobuf({ 1: key, 2: { 1: 1 } });
      const bytes = Buffer.concat([Uint8Array.of(entry.length), entry]);
      readParameter(createCursor(bytes), parameters, 'parameters');
    };
    for (let index = 0; index < 16_384; index += 1) add(String(index));
    expect(() => add('one more')).toThrow('parameters: expected at most 16384 entries, got more');
  });
});

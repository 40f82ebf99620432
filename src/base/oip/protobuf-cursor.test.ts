import { describe, expect, it } from 'vitest';
import {
  createCursor,
  DELIMITED,
  FIXED32,
  FIXED64,
  readDelimited,
  readTag,
  readText,
  readVarint,
  skipField,
  toSigned,
  VARINT,
} from './protobuf-cursor.ts';

const GROUP_START = 3;
const GROUP_END = 4;
const of = (...bytes: readonly number[]) => createCursor(Uint8Array.from(bytes));
/** Tags of fields up to 15, which are one byte. */
const tag = (field: number, wireType: number) => (field << 3) | wireType;

describe('readVarint', () => {
  it.each([
    ['one byte', [0x7f], 0x7f, 0],
    ['two bytes', [0x80, 0x01], 0x80, 0],
    ['28 bits', [0xff, 0xff, 0xff, 0x7f], 0xfff_ffff, 0],
    [
      'the four bits of the fifth byte that are the lower half',
      [0x80, 0x80, 0x80, 0x80, 0x0f],
      0xf000_0000,
      0,
    ],
    ['its three bits that are the upper half', [0x80, 0x80, 0x80, 0x80, 0x70], 0, 7],
    ['35 bits and more', [0x80, 0x80, 0x80, 0x80, 0x80, 0x01], 0, 8],
    ['all 64 bits', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], 0xffff_ffff, 0xffff_ffff],
    ['a bit above 64, which is dropped', [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02], 0, 0],
  ])('reads %s', (_, bytes, low, high) => {
    const cursor = of(...bytes, 0xff);
    readVarint(cursor, 'here');
    expect([cursor.low, cursor.high, cursor.at]).toEqual([low, high, bytes.length]);
  });

  it('refuses one of more than ten bytes', () => {
    expect(() => readVarint(of(...new Array<number>(10).fill(0x80), 0), 'here')).toThrow(
      'here: expected numbers of at most 64 bits, got a longer one (byte 9)',
    );
  });

  it('refuses one that goes on behind the end', () => {
    const cursor = createCursor(Uint8Array.of(0, 0x80, 1), 1, 2);
    expect(() => readVarint(cursor, 'here')).toThrow(
      'here: expected a whole protobuf message, got one that ends within a field (byte 2)',
    );
  });
});

describe('toSigned', () => {
  it.each([
    [1, 0, 1],
    [0xffff_ffff, 0xffff_ffff, -1],
    [0, 1, 2 ** 32],
    [0xffff_ffff, 0x1f_ffff, Number.MAX_SAFE_INTEGER],
    [0, 0x20_0000, Number.NaN],
    [1, 0xffe0_0000, Number.MIN_SAFE_INTEGER],
    [0, 0xffe0_0000, Number.NaN],
  ])('of %i and %i', (low, high, value) => {
    expect(toSigned({ ...of(), low, high })).toBe(value);
  });
});

describe('readTag', () => {
  it('reads tags of one byte and of several', () => {
    for (const [bytes, expected] of [
      [[8], 8],
      [[0x7f], 0x7f],
      [[0x80, 0x01], 0x80],
      [[0x88, 0x00], 8],
    ] as const) {
      const cursor = of(...bytes);
      expect(readTag(cursor, 'here')).toBe(expected);
      expect(cursor.at).toBe(bytes.length);
    }
  });

  it.each([
    ['field 0', [0x07]],
    ['field 0 in two bytes', [0x87, 0x00]],
    ['more than 32 bits', [0x88, 0x80, 0x80, 0x80, 0x10]],
  ])('refuses %s', (_, bytes) => {
    expect(() => readTag(of(...bytes), 'here')).toThrow(
      'here: expected a protobuf message, got a field without a number (byte 0)',
    );
  });

  it('refuses one behind the end, whatever stands there', () => {
    expect(() => readTag(createCursor(Uint8Array.of(8, 8), 1, 1), 'here')).toThrow('(byte 1)');
  });
});

describe('readDelimited', () => {
  it('gives the end and stays at the start', () => {
    const cursor = of(2, 1, 1);
    expect([readDelimited(cursor, 'here'), cursor.at]).toEqual([3, 1]);
  });

  it('refuses lengths beyond the message', () => {
    const message = 'here: expected a whole protobuf message, got one that ends within a field (byte 1)';
    expect(() => readDelimited(of(3, 1, 1), 'here')).toThrow(message);
    expect(() => readDelimited(createCursor(Uint8Array.of(2, 1, 1), 0, 2), 'here')).toThrow(message);
    expect(() => readDelimited(of(0x80, 0x80, 0x80, 0x80, 0x10, 1), 'here')).toThrow('(byte 5)');
  });
});

describe('skipField', () => {
  /** Where the next field begins after one whose value is `bytes`, with three bytes behind it. */
  const behind = (first: number, ...bytes: readonly number[]) => {
    const cursor = of(...bytes, 9, 9, 9);
    skipField(cursor, first, 'here');
    return cursor.at;
  };

  it('passes over values of every wire type', () => {
    expect(behind(tag(1, VARINT), 0x80, 1)).toBe(2);
    expect(behind(tag(1, FIXED64), 1, 2, 3, 4, 5, 6, 7, 8)).toBe(8);
    expect(behind(tag(1, DELIMITED), 2, 1, 1)).toBe(3);
    expect(behind(tag(1, FIXED32), 1, 2, 3, 4)).toBe(4);
  });

  it('passes over groups, and groups within', () => {
    expect(behind(tag(1, GROUP_START), tag(1, GROUP_END))).toBe(1);
    const inner = [tag(2, GROUP_START), tag(3, VARINT), 5, tag(2, GROUP_END)];
    expect(behind(tag(1, GROUP_START), ...inner, tag(4, FIXED32), 1, 2, 3, 4, tag(1, GROUP_END))).toBe(10);
  });

  it('refuses values that go on behind the end', () => {
    for (const [first, bytes] of [
      [tag(1, FIXED32), [1, 2, 3]],
      [tag(1, FIXED64), [1, 2, 3, 4, 5, 6, 7]],
    ] as const) {
      expect(() => skipField(of(...bytes), first, 'here')).toThrow(
        `here: expected a whole protobuf message, got one that ends within a field (byte ${bytes.length})`,
      );
    }
    expect(() => skipField(of(tag(2, VARINT), 1), tag(1, GROUP_START), 'here')).toThrow('(byte 2)');
  });

  it.each([
    ['an end without a start', tag(1, GROUP_END), [], 4],
    ['the end of another group', tag(1, GROUP_START), [tag(2, GROUP_END)], 4],
    ['wire type 6', tag(1, 6), [], 6],
    ['wire type 7 in a group', tag(1, GROUP_START), [tag(2, 7), tag(1, GROUP_END)], 7],
  ])('refuses %s', (_, first, bytes, wireType) => {
    expect(() => skipField(of(...bytes), first, 'here')).toThrow(
      `here: expected a protobuf message, got wire type ${wireType} (before byte ${Math.min(1, bytes.length)})`,
    );
  });

  it('takes groups 32 deep and no deeper', () => {
    const nested = (depth: number) => [
      ...new Array<number>(depth - 1).fill(tag(1, GROUP_START)),
      ...new Array<number>(depth).fill(tag(1, GROUP_END)),
    ];
    expect(behind(tag(1, GROUP_START), ...nested(32))).toBe(63);
    expect(() => behind(tag(1, GROUP_START), ...nested(33))).toThrow('got wire type 3 (before byte 32)');
  });
});

describe('readText', () => {
  it.each([
    ['nothing', ''],
    ['32 ASCII characters', 'a'.repeat(32)],
    ['33', 'b'.repeat(33)],
    ['other characters, in a short text', 'é数😀'],
    ['other characters, in a long text', '数'.repeat(20)],
    ['a byte order mark, which is kept', '\ufeffa'],
    ['the last ASCII character', '\x7f'],
    ['the first that is none', '\x80'],
  ])('reads %s', (_, text) => {
    const bytes = Buffer.from(text);
    const cursor = of(bytes.length, ...bytes, 0x41);
    expect(readText(cursor, 'here')).toBe(text);
    expect(cursor.at).toBe(1 + bytes.length);
  });

  it.each([
    ['short', [0x61, 0xff, 0x62]],
    ['long', [...Array(40).fill(0x61), 0xc3]],
  ])('refuses bytes that are no UTF-8 in a %s text', (_what, bytes) => {
    expect(() => readText(of(bytes.length, ...bytes), 'here')).toThrow(
      'here: expected text in UTF-8, got bytes that are none',
    );
  });
});

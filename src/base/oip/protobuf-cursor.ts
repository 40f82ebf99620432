import { mismatchError, type Where } from './json-error.ts';

/** Wire types of protobuf (protobuf.dev, "Encoding"). */
export const VARINT = 0;
export const FIXED64 = 1;
export const DELIMITED = 2;
const GROUP_START = 3;
const GROUP_END = 4;
export const FIXED32 = 5;

/** Deeper groups than this are an attack: nobody has written them for twenty years. */
const MAX_GROUP_DEPTH = 32;

/** A place in a message that is read, and the last number that was. One is used for many reads. */
export interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
  /** Where the message ends, which may be before the end of the bytes. */
  end: number;
  /** The last varint's 64 bits: the lower and the upper 32, unsigned. */
  low: number;
  high: number;
}

export function createCursor(bytes: Uint8Array, at = 0, end = bytes.length): Cursor {
  return { bytes, at, end, low: 0, high: 0 };
}

/** Reads a varint into `low` and `high`; bits above 64 are dropped, as protobuf's own readers do. */
export function readVarint(cursor: Cursor, where: Where): void {
  const { bytes, end } = cursor;
  let { at } = cursor;
  let low = 0;
  let high = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    if (at >= end) throw cutShort(where, at);
    const byte = bytes[at++]!;
    const bits = byte & 0x7f;
    if (shift < 28) low |= bits << shift;
    else if (shift === 28) {
      low |= bits << 28;
      high = bits >> 4;
    } else high |= bits << (shift - 32);
    if (byte < 0x80) {
      cursor.at = at;
      cursor.low = low >>> 0;
      cursor.high = high >>> 0;
      return;
    }
  }
  throw mismatchError(where, 'numbers of at most 64 bits', `a longer one (byte ${at - 1})`);
}

/** The next field's number times 8 plus its wire type. */
export function readTag(cursor: Cursor, where: Where): number {
  const { bytes, at } = cursor;
  const first = bytes[at]!;
  if (first >= 8 && first < 0x80 && at < cursor.end) {
    cursor.at = at + 1;
    return first;
  }
  readVarint(cursor, where);
  if (cursor.high !== 0 || cursor.low < 8) {
    throw mismatchError(where, 'a protobuf message', `a field without a number (byte ${at})`);
  }
  return cursor.low;
}

/** Reads the length of a delimited field and returns where it ends; `cursor.at` is where it starts. */
export function readDelimited(cursor: Cursor, where: Where): number {
  readVarint(cursor, where);
  const end = cursor.at + cursor.low;
  if (cursor.high !== 0 || end > cursor.end) throw cutShort(where, cursor.at);
  return end;
}

/** Passes over the value of a field of this tag, known or not. */
export function skipField(cursor: Cursor, tag: number, where: Where): void {
  const wireType = tag & 7;
  if (wireType === VARINT) readVarint(cursor, where);
  else if (wireType === DELIMITED) cursor.at = readDelimited(cursor, where);
  else if (wireType === FIXED32) cursor.at += 4;
  else if (wireType === FIXED64) cursor.at += 8;
  else skipGroup(cursor, tag, where);
  if (cursor.at > cursor.end) throw cutShort(where, cursor.end);
}

/** Groups are fields between two tags, of which proto3 knows nothing but that they may come. */
function skipGroup(cursor: Cursor, start: number, where: Where): void {
  const open: number[] = [];
  for (let tag = start; ; tag = readTag(cursor, where)) {
    const wireType = tag & 7;
    if (wireType === GROUP_START && open.length < MAX_GROUP_DEPTH) open.push(tag >>> 3);
    else if (wireType === GROUP_END && open.at(-1) === tag >>> 3) open.pop();
    else if (wireType > FIXED32 || wireType === GROUP_START || wireType === GROUP_END) {
      throw mismatchError(where, 'a protobuf message', `wire type ${wireType} (before byte ${cursor.at})`);
    } else skipField(cursor, tag, where);
    if (open.length === 0) return;
  }
}

const DECODER = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });
const SHORT_TEXT = 32;

/**
 * The field's text.
 * @throws NimifyError INVALID_INPUT: bytes that are no UTF-8, as protobuf asks of its readers
 */
export function readText(cursor: Cursor, where: Where): string {
  const end = readDelimited(cursor, where);
  const { bytes, at } = cursor;
  cursor.at = end;
  if (end - at > SHORT_TEXT) return decode(bytes.subarray(at, end), where);
  let text = '';
  for (let index = at; index < end; index++) {
    const byte = bytes[index]!;
    if (byte >= 0x80) return decode(bytes.subarray(at, end), where);
    text += String.fromCharCode(byte);
  }
  return text;
}

function decode(bytes: Uint8Array, where: Where): string {
  try {
    return DECODER.decode(bytes);
  } catch {
    throw mismatchError(where, 'text in UTF-8', 'bytes that are none');
  }
}

/** The last varint as a signed number; NaN where a number does not hold it exactly. */
export function toSigned({ low, high }: Cursor): number {
  const value = (high | 0) * 2 ** 32 + low;
  return Number.isSafeInteger(value) ? value : Number.NaN;
}

function cutShort(where: Where, at: number): Error {
  return mismatchError(where, 'a whole protobuf message', `one that ends within a field (byte ${at})`);
}

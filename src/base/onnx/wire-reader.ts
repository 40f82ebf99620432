import { invalidInput, type NimifyError } from '../errors/nimify-error.ts';
import type { FileBytes } from './file-bytes.ts';
import { LIMITS } from './limits.ts';

/** Wire types of protobuf (protobuf.dev, "Encoding"); groups (3, 4) are refused. */
export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

/** One field of a message. The object is used again for the next field: copy what must stay. */
export interface WireField {
  readonly number: number;
  readonly wireType: number;
  /** Of VARINT: the value as a signed 64-bit integer; exact up to 2^53, rounded beyond. Else 0. */
  readonly value: number;
  /** Payload: file positions `start` to `end`. */
  readonly start: number;
  readonly end: number;
}

/** Where a message stands: a field, or the whole file as if it were a BYTES field. */
export type Span = Pick<WireField, 'wireType' | 'start' | 'end'>;

/** Returns a promise where the rest of the message has to wait. */
export type FieldVisitor = (field: WireField) => Promise<void> | undefined;

/**
 * Reads protobuf messages from a file through one window that only moves over what is looked at: the payload
 * of a field nobody asks for is never read, however long it is.
 */
export interface WireReader {
  /**
   * Calls `visit` for each field of a message, one after another. Like text below, a span of another wire type
   * is passed over, as protobuf does with fields that it does not know.
   */
  message(span: Span, visit: FieldVisitor): Promise<void>;
  /** Hands a field's payload over as UTF-8 text; at once where the window holds it. */
  text(field: WireField, use: (text: string) => void): Promise<void> | undefined;
  /** Each integer of a repeated field, packed or not. */
  integers(field: WireField, visit: (value: number) => void): Promise<void>;
}

/** After a jump over a payload little is wanted; while reading on, ever more. */
const FIRST_READ_BYTES = 4 * 1024;
const WINDOW_BYTES = 64 * 1024;
/** What a message costs the reader, in fields. */
const MESSAGE_COST = 8;
/** The longest tag and the longest length or value after it. */
const HEADER_BYTES = 20;

export function createWireReader(file: FileBytes): WireReader {
  const buffer = new Uint8Array(Math.min(WINDOW_BYTES, file.sizeBytes));
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let windowStart = 0;
  let windowEnd = 0;
  let readBytes = FIRST_READ_BYTES;
  let depth = 0;
  let workLeft: number = LIMITS.fields;
  // Where the last varint ended; a second return value without an allocation.
  let afterVarint = 0;

  function holds(start: number, end: number): boolean {
    return start >= windowStart && end <= windowEnd;
  }

  async function moveTo(position: number, wantedBytes: number): Promise<void> {
    const readsOn = position > windowStart && position <= windowEnd;
    readBytes = readsOn ? Math.min(2 * readBytes, WINDOW_BYTES) : FIRST_READ_BYTES;
    const length = Math.min(Math.max(readBytes, wantedBytes), buffer.length, file.sizeBytes - position);
    windowEnd = windowStart;
    await file.read(buffer.subarray(0, length), position);
    windowStart = position;
    windowEnd = position + length;
  }

  /** Reads a varint at `position`, which the window holds up to `end` or HEADER_BYTES. */
  function varint(position: number, end: number): number {
    const first = position < end ? (buffer[position - windowStart] as number) : 0x80;
    if (first < 0x80) {
      afterVarint = position + 1;
      return first;
    }
    let low = 0;
    let high = 0;
    for (let i = 0; i < 10; i += 1) {
      if (position + i >= end) throw pastEnd(position, end + 1, end);
      const byte = buffer[position + i - windowStart] as number;
      const bits = byte & 0x7f;
      // 28 bits fit below bit 32 whole, the fifth byte straddles it.
      if (i < 4) low |= bits << (7 * i);
      else if (i === 4) {
        low |= bits << 28;
        high |= bits >> 4;
      } else high |= bits << (7 * i - 32);
      if (byte < 0x80) {
        if (i === 9 && byte > 1) break;
        afterVarint = position + i + 1;
        return (high | 0) * 2 ** 32 + (low >>> 0);
      }
    }
    throw damaged(position, 'a number is longer than 64 bits');
  }

  function payloadEnd(wireType: number, start: number, end: number, fieldStart: number): number {
    if (wireType === VARINT) {
      varint(start, end);
      return afterVarint;
    }
    if (wireType === FIXED64) return start + 8;
    if (wireType === FIXED32) return start + 4;
    throw damaged(fieldStart, `field of wire type ${wireType}, which ONNX does not use`);
  }

  async function message(span: Span, visit: FieldVisitor): Promise<void> {
    const { wireType, start, end } = span;
    if (wireType !== BYTES) return;
    if (depth >= LIMITS.depth) throw damaged(start, `more than ${LIMITS.depth} messages inside each other`);
    depth += 1;
    workLeft -= MESSAGE_COST;
    const field = { number: 0, wireType: 0, value: 0, start: 0, end: 0 };
    let position = start;
    while (position < end) {
      if (!holds(position, Math.min(position + HEADER_BYTES, end))) await moveTo(position, HEADER_BYTES);
      const fieldStart = position;
      const tag = varint(position, end);
      if (tag < 8 || tag > 0xffffffff) throw damaged(fieldStart, 'a field has no valid number');
      workLeft -= 1;
      if (workLeft < 0) throw damaged(fieldStart, `more than ${LIMITS.fields} fields`);
      field.number = Math.floor(tag / 8);
      field.wireType = tag % 8;
      field.start = afterVarint;
      field.value = 0;
      if (field.wireType === BYTES) {
        const length = varint(field.start, end);
        field.start = afterVarint;
        field.end = field.start + length;
        if (length < 0) throw damaged(fieldStart, 'a length is negative');
      } else {
        if (field.wireType === VARINT) field.value = varint(field.start, end);
        field.end = payloadEnd(field.wireType, field.start, end, fieldStart);
      }
      if (field.end > end) throw pastEnd(fieldStart, field.end, end);
      position = field.end;
      const pending = visit(field);
      if (pending !== undefined) await pending;
    }
    depth -= 1;
  }

  async function longText(start: number, end: number): Promise<string> {
    const length = end - start;
    if (length > LIMITS.textBytes) {
      throw damaged(start, `a text of ${length} bytes; at most ${LIMITS.textBytes} are read`);
    }
    if (length <= buffer.length) {
      await moveTo(start, length);
      return decoder.decode(buffer.subarray(start - windowStart, end - windowStart));
    }
    const whole = new Uint8Array(length);
    await file.read(whole, start);
    return decoder.decode(whole);
  }

  function pastEnd(at: number, wanted: number, end: number): NimifyError {
    if (end === file.sizeBytes) return truncated(at, wanted - end, end);
    return damaged(at, `a field ends ${wanted - end} bytes past the end of its message`);
  }

  return {
    message,
    text(field, use) {
      if (field.wireType !== BYTES) return undefined;
      const { start, end } = field;
      if (holds(start, end)) {
        use(decoder.decode(buffer.subarray(start - windowStart, end - windowStart)));
        return undefined;
      }
      return longText(start, end).then(use);
    },
    async integers(field, visit) {
      if (field.wireType === VARINT) visit(field.value);
      if (field.wireType !== BYTES) return;
      const { start, end } = field;
      let position = start;
      while (position < end) {
        if (!holds(position, Math.min(position + HEADER_BYTES, end))) await moveTo(position, HEADER_BYTES);
        visit(varint(position, end));
        position = afterVarint;
      }
    },
  };
}

function damaged(position: number, what: string): NimifyError {
  return invalidInput(
    `the ONNX file is damaged, or is no ONNX file: ${what} (at byte ${position}); export or download it again`,
    { where: `byte ${position}` },
  );
}

function truncated(at: number, missingBytes: number, sizeBytes: number): NimifyError {
  return invalidInput(
    `the ONNX file is cut short: it has ${sizeBytes} bytes, and the part that begins at byte ${at} needs ` +
      `at least ${missingBytes} more; download or copy it again`,
    { where: `byte ${at}`, expected: sizeBytes + missingBytes, got: sizeBytes, missingBytes },
  );
}

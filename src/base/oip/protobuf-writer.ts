/**
 * Writes one protobuf message (protobuf.dev, "Encoding") into a buffer that grows and is used again, with large
 * byte fields as pieces of their own that are never copied.
 */
export interface ProtobufWriter {
  /** Starts a message, with room before it that the caller fills in. */
  clear(headroomBytes: number): void;
  /** A string field; nothing where it is empty, as proto3 has it. */
  text(field: number, text: string): void;
  /** A bytes field, copied; there even when empty. */
  bytes(field: number, bytes: Uint8Array): void;
  /** A bytes field that stays where it is: the message then consists of several chunks. */
  piece(field: number, bytes: Uint8Array): void;
  /** A varint field, there also where it is 0. `value`: a safe integer. */
  number(field: number, value: number): void;
  double(field: number, value: number): void;
  /** A message or packed field: what `write` writes, with its length before it. */
  nested(field: number, write: () => void): void;
  /** A bare varint, as packed fields hold them. `value`: a safe integer. */
  varint(value: number): void;
  /** The chunks, the first with the headroom; `byteLength` is without it. */
  take(): { readonly chunks: readonly Uint8Array[]; readonly byteLength: number };
}

const ENCODER = new TextEncoder();
/** A tag and a length, each as long as it can be. */
const HEADER_BYTES = 15;
const SHORT_TEXT = 64;
/** A buffer that one giant answer made is not kept for ever. */
const KEEP_BYTES = 1024 * 1024;
const SMALLEST_BYTES = 4096;

export function createProtobufWriter(): ProtobufWriter {
  let buffer = new Uint8Array(SMALLEST_BYTES);
  let view = new DataView(buffer.buffer);
  let at = 0;
  let headroom = 0;
  /** Places in the buffer where a piece comes in, and the pieces. */
  let cuts: number[] = [];
  let pieces: Uint8Array[] = [];
  let piecesBytes = 0;

  function room(length: number): void {
    if (at + length <= buffer.length) return;
    const larger = new Uint8Array(Math.max(at + length, buffer.length * 2));
    larger.set(buffer.subarray(0, at));
    buffer = larger;
    view = new DataView(buffer.buffer);
  }

  /** There is room for it already. */
  function putVarint(value: number): void {
    if (value < 0) {
      putNegative(value);
      return;
    }
    let rest = value;
    while (rest >= 0x80) {
      buffer[at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    buffer[at++] = rest;
  }

  /** In ten bytes, as a 64-bit two's complement. */
  function putNegative(value: number): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest >= 0x80n; rest >>= 7n) buffer[at++] = Number(rest & 0x7fn) | 0x80;
    buffer[at++] = Number(rest);
  }

  function putHeader(field: number, wireType: number, length: number): void {
    room(HEADER_BYTES);
    putVarint(field * 8 + wireType);
    putVarint(length);
  }

  function bytes(field: number, value: Uint8Array): void {
    putHeader(field, 2, value.byteLength);
    room(value.byteLength);
    buffer.set(value, at);
    at += value.byteLength;
  }

  /** Names and the like, byte by byte: to call an encoder costs several times as much. False where it is none. */
  function putShortText(field: number, text: string): boolean {
    const { length } = text;
    if (length > SHORT_TEXT) return false;
    room(HEADER_BYTES + SHORT_TEXT);
    const start = at;
    putVarint(field * 8 + 2);
    putVarint(length);
    for (let index = 0; index < length; index += 1) {
      const code = text.charCodeAt(index);
      if (code >= 0x80) {
        at = start;
        return false;
      }
      buffer[at++] = code;
    }
    return true;
  }

  return {
    clear(headroomBytes) {
      if (buffer.length > KEEP_BYTES) {
        buffer = new Uint8Array(SMALLEST_BYTES);
        view = new DataView(buffer.buffer);
      }
      at = headroomBytes;
      headroom = headroomBytes;
      cuts = [];
      pieces = [];
      piecesBytes = 0;
    },
    text(field, text) {
      if (text !== '' && !putShortText(field, text)) bytes(field, ENCODER.encode(text));
    },
    bytes,
    piece(field, value) {
      putHeader(field, 2, value.byteLength);
      cuts.push(at);
      pieces.push(value);
      piecesBytes += value.byteLength;
    },
    number: (field, value) => putHeader(field, 0, value),
    double(field, value) {
      room(HEADER_BYTES);
      putVarint(field * 8 + 1);
      view.setFloat64(at, value, true);
      at += 8;
    },
    nested(field, write) {
      room(HEADER_BYTES);
      putVarint(field * 8 + 2);
      // One byte is what most lengths need; where it is more, what was written moves on.
      const lengthAt = at;
      at += 1;
      const firstCut = cuts.length;
      const piecesBefore = piecesBytes;
      write();
      const length = at - lengthAt - 1 + piecesBytes - piecesBefore;
      const extra = varintLength(length) - 1;
      if (extra > 0) {
        room(extra);
        buffer.copyWithin(lengthAt + 1 + extra, lengthAt + 1, at);
        for (let index = firstCut; index < cuts.length; index += 1) cuts[index]! += extra;
      }
      const end = at + extra;
      at = lengthAt;
      putVarint(length);
      at = end;
    },
    varint(value) {
      room(HEADER_BYTES);
      putVarint(value);
    },
    take() {
      const own = buffer.slice(0, at);
      const byteLength = at - headroom + piecesBytes;
      if (pieces.length === 0) return { chunks: [own], byteLength };
      const chunks: Uint8Array[] = [];
      let from = 0;
      for (const [index, piece] of pieces.entries()) {
        const cut = cuts[index]!;
        chunks.push(own.subarray(from, cut), piece);
        from = cut;
      }
      if (from < at) chunks.push(own.subarray(from));
      return { chunks, byteLength };
    },
  };
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length += 1;
  return length;
}

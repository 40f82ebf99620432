import { LONGEST_NUMBER, writeAscii, writeDouble } from './number-text.ts';

const ENCODER = new TextEncoder();
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LOWER_U = 0x75;
const ZERO = 0x30;

/** Buffers above this size are given back after use rather than kept for the next answer. */
const LARGEST_KEPT_BYTES = 4 * 1024 * 1024;

/** The letter after the backslash for characters that have a short escape (RFC 8259, section 7); 0 for others. */
const SHORT_ESCAPES = new Uint8Array(256);
for (const [char, letter] of ['""', '\\\\', '\bb', '\ff', '\nn', '\rr', '\tt']) {
  SHORT_ESCAPES[char!.charCodeAt(0)] = letter!.charCodeAt(0);
}

/**
 * Builds JSON text in one growing buffer, which serves answer after answer: `take` copies the text out and
 * starts over. Writing is synchronous from the first byte to `take`, so one writer serves a whole thread.
 */
export class JsonWriter {
  /** Text is in [0, at). Replaced when it grows: read it again after `reserve`. */
  bytes = new Uint8Array(16 * 1024);
  at = 0;

  /** Makes room for `size` more bytes. */
  reserve(size: number): void {
    if (this.at + size <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.at + size, this.bytes.length * 2));
    larger.set(this.bytes.subarray(0, this.at));
    this.bytes = larger;
  }

  /** Text as it is, ASCII only: punctuation, keys without quotes in them. */
  ascii(text: string): void {
    this.reserve(text.length);
    this.at = writeAscii(text, this.bytes, this.at);
  }

  /** A JSON string; lone surrogates are escaped, so that the text stays UTF-8. */
  string(text: string): void {
    const quoted = JSON.stringify(text);
    this.reserve(quoted.length * 3);
    this.at += ENCODER.encodeInto(quoted, this.bytes.subarray(this.at)).written;
  }

  /** A JSON string of UTF-8 bytes [from, to), which must be valid. */
  utf8(text: Uint8Array, from: number, to: number): void {
    this.reserve((to - from) * 6 + 2);
    const { bytes } = this;
    let at = this.at;
    bytes[at++] = QUOTE;
    for (let index = from; index < to; index++) {
      const byte = text[index]!;
      if (byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH) bytes[at++] = byte;
      else at = writeEscape(byte, bytes, at);
    }
    bytes[at++] = QUOTE;
    this.at = at;
  }

  /** A number; one that is not finite becomes the string "NaN", "Infinity" or "-Infinity". */
  number(value: number): void {
    this.reserve(LONGEST_NUMBER);
    this.at = writeDouble(value, this.bytes, this.at);
  }

  /** The text in a buffer of its own. The writer is empty then. */
  take(): Uint8Array {
    const text = this.bytes.slice(0, this.at);
    this.at = 0;
    if (this.bytes.length > LARGEST_KEPT_BYTES) this.bytes = new Uint8Array(16 * 1024);
    return text;
  }

  /** Drops what was written: after an error half way. */
  clear(): void {
    this.at = 0;
  }
}

function writeEscape(byte: number, into: Uint8Array, at: number): number {
  into[at++] = BACKSLASH;
  const letter = SHORT_ESCAPES[byte]!;
  if (letter !== 0) {
    into[at++] = letter;
    return at;
  }
  into[at++] = LOWER_U;
  into[at++] = ZERO;
  into[at++] = ZERO;
  into[at++] = ZERO + (byte >> 4);
  into[at++] = '0123456789abcdef'.charCodeAt(byte & 0xf);
  return at;
}

export function createJsonWriter(): JsonWriter {
  return new JsonWriter();
}

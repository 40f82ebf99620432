import { allocateUncleared } from '../tensor/allocate.ts';
import { LONGEST_NUMBER, writeAscii, writeDouble } from './number-text.ts';

const ENCODER = new TextEncoder();
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LOWER_U = 0x75;
const ZERO = 0x30;

/** What is allocated at once: the room of many small answers. */
const SLAB_BYTES = 32 * 1024;

/** The letter after the backslash for characters that have a short escape (RFC 8259, section 7); 0 for others. */
const SHORT_ESCAPES = new Uint8Array(256);
for (const [char, letter] of ['""', '\\\\', '\bb', '\ff', '\nn', '\rr', '\tt']) {
  SHORT_ESCAPES[char!.charCodeAt(0)] = letter!.charCodeAt(0);
}

/**
 * Builds JSON text, one after the other, in slabs of memory: `take` hands out the text where it stands and the next
 * one begins behind it, so nothing is copied and a slab serves many texts. Writing is synchronous from the first byte
 * to `take`, so one writer serves a whole thread.
 */
export class JsonWriter {
  /** Text is in [start, at). Replaced when it is full: read it again after `reserve`. */
  bytes = new Uint8Array(0);
  start = 0;
  at = 0;

  /** Makes room for `size` more bytes. */
  reserve(size: number): void {
    if (this.at + size <= this.bytes.length) return;
    const length = this.at - this.start;
    const larger = allocateUncleared('UINT8', Math.max(SLAB_BYTES, length * 2, length + size));
    larger.set(this.bytes.subarray(this.start, this.at));
    this.bytes = larger;
    this.start = 0;
    this.at = length;
  }

  /** Text as it is, ASCII only: punctuation, keys without quotes in them. */
  ascii(text: string): void {
    this.reserve(text.length);
    this.at = writeAscii(text, this.bytes, this.at);
  }

  /** A JSON string; lone surrogates are escaped, so that the text stays UTF-8. */
  string(text: string): void {
    this.reserve(text.length + 2);
    const { bytes } = this;
    let at = this.at;
    bytes[at++] = QUOTE;
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      if (unit < 0x20 || unit >= 0x7f || unit === QUOTE || unit === BACKSLASH) {
        this.anyString(text);
        return;
      }
      bytes[at++] = unit;
    }
    bytes[at++] = QUOTE;
    this.at = at;
  }

  private anyString(text: string): void {
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

  /** The text, in memory that is never written again. The writer is empty then. */
  take(): Uint8Array {
    const text = this.bytes.subarray(this.start, this.at);
    this.start = this.at;
    return text;
  }

  /** Drops what was written: after an error half way. */
  clear(): void {
    this.at = this.start;
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

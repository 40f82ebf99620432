import { isUtf8 } from 'node:buffer';
import { invalidInput } from '../errors/nimify-error.ts';
import { expectedError, type Where } from './json-error.ts';
import { knownText, LONGEST_KNOWN } from './known-text.ts';

/** A string's place: its characters stand in bytes [start, end) and its closing quote at `end`. */
export interface StringToken {
  start: number;
  end: number;
  /** There is a backslash in it, so the bytes are not yet the text. */
  escaped: boolean;
  /** All its bytes are ASCII. */
  ascii: boolean;
}

export function createStringToken(): StringToken {
  return { start: 0, end: 0, escaped: false, ascii: true };
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LOWER_U = 0x75;

/** The character that each one-letter escape stands for (RFC 8259, section 7); 0 for all others. */
const ESCAPES = new Uint8Array(256);
for (const [letter, char] of ['""', '\\\\', '//', 'b\b', 'f\f', 'n\n', 'r\r', 't\t']) {
  ESCAPES[letter!.charCodeAt(0)] = char!.charCodeAt(0);
}

/**
 * Finds the end of the string whose opening quote is at `at`, and proves that it is a JSON string and UTF-8.
 * @returns where the value ends: one past the closing quote
 */
export function scanString(bytes: Uint8Array, at: number, token: StringToken, where: Where): number {
  if (bytes[at] !== QUOTE) throw expectedError(where, 'a string', bytes, at);
  const end = bytes.length;
  const start = at + 1;
  let escaped = false;
  let allBits = 0;
  at = start;
  for (;;) {
    if (at >= end) throw expectedError(where, 'the closing quote of a string', bytes, at);
    const byte = bytes[at]!;
    if (byte === QUOTE) break;
    if (byte < 0x20) throw expectedError(where, 'control characters in a string to be escaped', bytes, at);
    if (byte === BACKSLASH) {
      escaped = true;
      at = skipEscape(bytes, at, where);
    } else {
      allBits |= byte;
      at += 1;
    }
  }
  if (allBits >= 0x80 && !isUtf8(bytes.subarray(start, at))) {
    const place = typeof where === 'string' ? where : where();
    throw invalidInput(
      `${place}: expected UTF-8 text, got other bytes (string at byte ${start - 1}); send bytes that are no text as binary data`,
      { where: place, expected: 'UTF-8 text' },
    );
  }
  token.start = start;
  token.end = at;
  token.escaped = escaped;
  token.ascii = allBits < 0x80;
  return at + 1;
}

/** The end of the escape at `at`. Surrogates must come as a pair: one alone is no character and has no UTF-8. */
function skipEscape(bytes: Uint8Array, at: number, where: Where): number {
  const letter = at + 1 < bytes.length ? bytes[at + 1]! : 0;
  if (letter !== LOWER_U) {
    if (ESCAPES[letter] === 0)
      throw expectedError(where, 'one of "\\/bfnrtu after a backslash', bytes, at + 1);
    return at + 2;
  }
  const unit = hexUnit(bytes, at + 2);
  if (unit < 0) throw expectedError(where, 'four hexadecimal digits after \\u', bytes, at + 2);
  if (unit < 0xd800 || unit > 0xdfff) return at + 6;
  const follows = bytes[at + 6] === BACKSLASH && bytes[at + 7] === LOWER_U ? hexUnit(bytes, at + 8) : -1;
  if (unit > 0xdbff || follows < 0xdc00 || follows > 0xdfff) {
    throw expectedError(where, 'a surrogate escape to be one of a pair', bytes, at);
  }
  return at + 12;
}

/** The number in the four hexadecimal digits at `at`, or -1. */
function hexUnit(bytes: Uint8Array, at: number): number {
  if (at + 4 > bytes.length) return -1;
  let unit = 0;
  for (let index = at; index < at + 4; index++) {
    const byte = bytes[index]!;
    const lower = byte | 0x20;
    if (byte >= 0x30 && byte <= 0x39) unit = unit * 16 + byte - 0x30;
    else if (lower >= 0x61 && lower <= 0x66) unit = unit * 16 + lower - 0x57;
    else return -1;
  }
  return unit;
}

/**
 * Writes the scanned string's text as UTF-8 into `into` from `at` on; it never needs more than
 * `token.end - token.start` bytes.
 * @returns where the text ends in `into`
 */
export function copyText(bytes: Uint8Array, token: StringToken, into: Uint8Array, at: number): number {
  const { start, end } = token;
  if (!token.escaped) {
    if (end - start > 64) {
      into.set(bytes.subarray(start, end), at);
      return at + end - start;
    }
    for (let from = start; from < end; from++) into[at++] = bytes[from]!;
    return at;
  }
  let from = start;
  while (from < end) {
    const byte = bytes[from]!;
    if (byte !== BACKSLASH) {
      into[at++] = byte;
      from += 1;
      continue;
    }
    const letter = bytes[from + 1]!;
    if (letter !== LOWER_U) {
      into[at++] = ESCAPES[letter]!;
      from += 2;
      continue;
    }
    let code = hexUnit(bytes, from + 2);
    from += 6;
    if (code >= 0xd800 && code <= 0xdbff) {
      code = 0x10000 + ((code - 0xd800) << 10) + (hexUnit(bytes, from + 2) - 0xdc00);
      from += 6;
    }
    at = writeUtf8(code, into, at);
  }
  return at;
}

function writeUtf8(code: number, into: Uint8Array, at: number): number {
  if (code < 0x80) {
    into[at++] = code;
    return at;
  }
  if (code < 0x800) into[at++] = 0xc0 | (code >> 6);
  else {
    if (code < 0x10000) into[at++] = 0xe0 | (code >> 12);
    else {
      into[at++] = 0xf0 | (code >> 18);
      into[at++] = 0x80 | ((code >> 12) & 0x3f);
    }
    into[at++] = 0x80 | ((code >> 6) & 0x3f);
  }
  into[at++] = 0x80 | (code & 0x3f);
  return at;
}

const DECODER = new TextDecoder('utf-8', { ignoreBOM: true });

/** The scanned string's text. */
export function textOf(bytes: Uint8Array, token: StringToken): string {
  const { start, end } = token;
  if (!token.escaped) {
    if (token.ascii && end - start <= LONGEST_KNOWN) return knownText(bytes, start, end);
    return DECODER.decode(bytes.subarray(start, end));
  }
  const copy = new Uint8Array(end - start);
  return DECODER.decode(copy.subarray(0, copyText(bytes, token, copy, 0)));
}

import { expectedError, mismatchError, type Where } from './json-error.ts';
import { createNumberToken, scanNumber } from './json-number.ts';
import { createStringToken, scanString } from './json-string.ts';

/** Deepest nesting of arrays and objects in a value that is passed over. */
export const MAX_DEPTH = 64;

const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** The first byte from `at` on that is no JSON white space. */
export function skipSpace(bytes: Uint8Array, at: number): number {
  const end = bytes.length;
  while (at < end) {
    const byte = bytes[at]!;
    if (byte !== SPACE && byte !== LINE_FEED && byte !== CARRIAGE_RETURN && byte !== TAB) break;
    at += 1;
  }
  return at;
}

const NUMBER = createNumberToken();
const STRING = createStringToken();

/**
 * Proves that a JSON value stands at `at` and returns its end. Besides JSON it lets the barewords NaN, Infinity
 * and -Infinity pass, which Python's json.dumps writes; whoever reads the value decides about them.
 */
export function skipValue(bytes: Uint8Array, at: number, where: Where): number {
  // One entry an open container: the byte that closes it. No recursion: the client chooses the depth.
  const closers: number[] = [];
  at = skipSpace(bytes, at);
  for (;;) {
    const byte = bytes[at];
    const closer = byte === OPEN_BRACKET ? CLOSE_BRACKET : byte === OPEN_BRACE ? CLOSE_BRACE : 0;
    if (closer === 0) at = skipScalar(bytes, at, where);
    else {
      if (closers.length === MAX_DEPTH) {
        throw mismatchError(where, `at most ${MAX_DEPTH} levels of nesting`, `more (byte ${at})`);
      }
      at = skipSpace(bytes, at + 1);
      if (bytes[at] === closer) at += 1;
      else {
        closers.push(closer);
        if (closer === CLOSE_BRACE) at = skipKey(bytes, at, where);
        continue;
      }
    }
    for (;;) {
      const open = closers.at(-1);
      if (open === undefined) return at;
      at = skipSpace(bytes, at);
      const next = bytes[at];
      if (next === COMMA) {
        at = skipSpace(bytes, at + 1);
        if (open === CLOSE_BRACE) at = skipKey(bytes, at, where);
        break;
      }
      if (next !== open) {
        throw expectedError(where, open === CLOSE_BRACE ? "',' or '}'" : "',' or ']'", bytes, at);
      }
      closers.pop();
      at += 1;
    }
  }
}

/** Passes a member's key and colon, and the white space after them. */
function skipKey(bytes: Uint8Array, at: number, where: Where): number {
  if (bytes[at] !== QUOTE) throw expectedError(where, 'a key in quotes', bytes, at);
  return skipColon(bytes, scanString(bytes, at, STRING, where), where);
}

/** Passes the colon after a key, with the white space around it. */
export function skipColon(bytes: Uint8Array, at: number, where: Where): number {
  at = skipSpace(bytes, at);
  if (bytes[at] !== COLON) throw expectedError(where, "':' after a key", bytes, at);
  return skipSpace(bytes, at + 1);
}

function skipScalar(bytes: Uint8Array, at: number, where: Where): number {
  if (bytes[at] === QUOTE) return scanString(bytes, at, STRING, where);
  const afterNumber = scanNumber(bytes, at, NUMBER);
  if (afterNumber >= 0) return afterNumber;
  for (const word of SCALAR_WORDS) if (hasWord(bytes, at, word)) return at + word.length;
  throw expectedError(where, 'a JSON value', bytes, at);
}

const SCALAR_WORDS = ['true', 'false', 'null', 'NaN', 'Infinity', '-Infinity'] as const;

/** Does the ASCII `word` stand at `at`? */
export function hasWord(bytes: Uint8Array, at: number, word: string): boolean {
  for (let index = 0; index < word.length; index++) {
    if (bytes[at + index] !== word.charCodeAt(index)) return false;
  }
  return true;
}

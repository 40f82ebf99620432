import { invalidInput } from '../errors/nimify-error.ts';
import { expectedError, mismatchError, type Where } from './json-error.ts';
import { createStringToken, scanString, textOf } from './json-string.ts';
import { skipColon, skipSpace, skipValue } from './json-value.ts';
import { NameSet } from './name-set.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Members of one object, or tensors in a list: more than any model has, and few enough to be read in no time. */
export const MAX_ENTRIES = 16_384;

/** Reads one member's value, which starts at `at`, and returns its end. */
export type VisitMember = (key: string, at: number) => number;

/**
 * Walks the object at `at` and returns its end. `visit` gets each key, decoded, and must consume the value.
 * Keys that come twice are refused: which one wins differs between JSON readers, and attackers use that. So are
 * more than MAX_ENTRIES: remembering the millions of keys that fit into a body blocks the event loop for a minute.
 */
export function scanObject(bytes: Uint8Array, at: number, where: Where, visit: VisitMember): number {
  at = skipSpace(bytes, at);
  if (bytes[at] !== OPEN_BRACE) throw expectedError(where, 'an object', bytes, at);
  at = skipSpace(bytes, at + 1);
  if (bytes[at] === CLOSE_BRACE) return at + 1;
  const seen = new NameSet();
  for (;;) {
    if (bytes[at] !== QUOTE) throw expectedError(where, 'a key in quotes', bytes, at);
    const key = readString(bytes, at, where);
    if (!seen.add(key.text))
      throw mismatchError(where, 'every key once', `the key '${shorten(key.text)}' twice`);
    if (seen.size > MAX_ENTRIES) throw mismatchError(where, `at most ${MAX_ENTRIES} keys`, 'more');
    at = skipSpace(bytes, visit(key.text, skipColon(bytes, key.end, where)));
    if (bytes[at] === CLOSE_BRACE) return at + 1;
    if (bytes[at] !== COMMA) throw expectedError(where, "',' or '}'", bytes, at);
    at = skipSpace(bytes, at + 1);
  }
}

/** Walks the array at `at` and returns its end. `visit` gets each index and must consume the element. */
export function scanArray(
  bytes: Uint8Array,
  at: number,
  where: Where,
  visit: (index: number, at: number) => number,
): number {
  at = skipSpace(bytes, at);
  if (bytes[at] !== OPEN_BRACKET) throw expectedError(where, 'an array', bytes, at);
  at = skipSpace(bytes, at + 1);
  if (bytes[at] === CLOSE_BRACKET) return at + 1;
  for (let index = 0; ; index++) {
    at = skipSpace(bytes, visit(index, at));
    if (bytes[at] === CLOSE_BRACKET) return at + 1;
    if (bytes[at] !== COMMA) throw expectedError(where, "',' or ']'", bytes, at);
    at = skipSpace(bytes, at + 1);
  }
}

/** The string at `at`, decoded, and its end. */
export function readString(
  bytes: Uint8Array,
  at: number,
  where: Where,
): { readonly text: string; readonly end: number } {
  const end = scanString(bytes, at, STRING, where);
  return { text: textOf(bytes, STRING), end };
}

/** For messages: names come from the client and may be of any length. */
export function shorten(text: string): string {
  return text.length <= 64 ? text : `${text.slice(0, 61)}...`;
}

const STRING = createStringToken();

/** Half-open range of bytes in the body. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The members of the JSON object that is the whole of `bytes`: by decoded key, where each value stands. Values
 * are proven to be JSON (see `skipValue`) but not read.
 * @throws NimifyError INVALID_INPUT: no object, no JSON, a key twice, something after the object
 */
export function scanObjectMembers(bytes: Uint8Array, where: string): ReadonlyMap<string, ByteRange> {
  const members = new Map<string, ByteRange>();
  refuseNonJsonStart(bytes, where);
  const end = scanObject(bytes, 0, where, (key, start) => {
    const valueEnd = skipValue(bytes, start, () => `${where}.${shorten(key)}`);
    members.set(key, { start, end: valueEnd });
    return valueEnd;
  });
  expectEnd(bytes, end, where);
  return members;
}

/** An empty body and a byte order mark get words of their own: both look like nothing in an editor. */
export function refuseNonJsonStart(bytes: Uint8Array, where: string): void {
  if (bytes.length === 0) {
    throw invalidInput(`${where}: expected a JSON object, got no bytes`, {
      where,
      expected: 'a JSON object',
    });
  }
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    throw invalidInput(`${where}: expected JSON without a byte order mark, got one; save it as plain UTF-8`, {
      where,
    });
  }
}

/** Nothing but white space may follow the value that ended at `at`. */
export function expectEnd(bytes: Uint8Array, at: number, where: Where): void {
  const rest = skipSpace(bytes, at);
  if (rest !== bytes.length) throw expectedError(where, 'nothing after the JSON object', bytes, rest);
}

import { expectedError, mismatchError } from '../../../base/oip/json-error.ts';
import { readString, scanArray, scanObject } from '../../../base/oip/json-object.ts';
import { MAX_RANK } from '../../../base/oip/json-tensor.ts';
import { skipSpace } from '../../../base/oip/json-value.ts';
import type { BytesData } from '../../../base/tensor/tensor.ts';

const OPEN_BRACKET = 0x5b;
const OPEN_BRACE = 0x7b;

/** BASE64 of RFC 4648, section 4, and its URL-safe alphabet, with or without padding. */
const BASE64 = /^(?:[A-Za-z0-9+/]*|[A-Za-z0-9_-]*)={0,2}$/;

export interface BytesValues {
  readonly data: BytesData;
  readonly shape: readonly number[];
  readonly end: number;
}

/**
 * Reads nested arrays of strings in which an element may also be `{"b64": "..."}`: TensorFlow Serving's form for
 * bytes that are no text. Slower than the plain scanner, so it is used only where such an object occurs.
 * @throws NimifyError INVALID_INPUT: ragged nesting, other values, damaged base64
 */
export function scanBytesValues(bytes: Uint8Array, at: number, where: string): BytesValues {
  const parts: Uint8Array[] = [];
  const shape: number[] = [];
  let leafDepth = -1;

  function scan(from: number, depth: number, path: () => string): number {
    if (bytes[from] !== OPEN_BRACKET) return leaf(from, depth, path);
    if (depth === MAX_RANK) throw mismatchError(path, `at most ${MAX_RANK} levels of nesting`, 'more');
    if (leafDepth !== -1 && depth >= leafDepth) throw ragged(path);
    let count = 0;
    const end = scanArray(bytes, from, path, (index, next) => {
      count = index + 1;
      return scan(next, depth + 1, () => `${path()}[${index}]`);
    });
    if (shape[depth] === undefined) shape[depth] = count;
    else if (shape[depth] !== count) throw ragged(path);
    return end;
  }

  function leaf(from: number, depth: number, path: () => string): number {
    if (leafDepth === -1) leafDepth = depth;
    else if (leafDepth !== depth) throw ragged(path);
    if (bytes[from] !== OPEN_BRACE) {
      const { text, end } = readString(bytes, from, path);
      parts.push(Buffer.from(text));
      return end;
    }
    let found = false;
    const end = scanObject(bytes, from, path, (key, next) => {
      if (key !== 'b64') throw expectedError(path, 'a string or {"b64": "..."}', bytes, from);
      const { text, end: after } = readString(bytes, next, path);
      if (!BASE64.test(text)) throw mismatchError(path, 'base64 in b64', 'other characters');
      parts.push(Buffer.from(text, 'base64'));
      found = true;
      return after;
    });
    if (!found) throw mismatchError(path, 'a string or {"b64": "..."}', 'an empty object');
    return end;
  }

  const end = scan(skipSpace(bytes, at), 0, () => where);
  // An empty array knows its own length only; a list of empty lists has the inner length 0.
  return { data: pack(parts), shape, end };
}

function ragged(path: () => string): Error {
  return mismatchError(path, 'lists of equal length and depth', 'one that differs from those before it');
}

function pack(parts: readonly Uint8Array[]): BytesData {
  const offsets = new Uint32Array(parts.length + 1);
  let size = 0;
  for (const [index, part] of parts.entries()) {
    size += part.length;
    offsets[index + 1] = size;
  }
  const bytes = new Uint8Array(size);
  for (const [index, part] of parts.entries()) bytes.set(part, offsets[index]!);
  return { bytes, offsets };
}

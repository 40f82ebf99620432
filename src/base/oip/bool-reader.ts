import { allocateUncleared } from '../tensor/allocate.ts';
import type { ElementReader } from './element-reader.ts';
import { expectedError, type Where } from './json-error.ts';
import { hasWord, skipSpace } from './json-value.ts';

const COMMA = 0x2c;

const ZERO = 0x30;
const ONE = 0x31;
const LOWER_F = 0x66;
const LOWER_T = 0x74;

/** `true` and `false`, or the digits 1 and 0. */
export function createBoolReader(bytes: Uint8Array, capacity: number): ElementReader {
  let data = allocateUncleared('BOOL', capacity);
  let count = 0;

  function read(at: number, where: Where): number {
    const byte = bytes[at];
    let end: number;
    if (byte === LOWER_T && hasWord(bytes, at, 'true')) end = at + 4;
    else if (byte === LOWER_F && hasWord(bytes, at, 'false')) end = at + 5;
    else if ((byte === ZERO || byte === ONE) && !goesOn(bytes[at + 1])) end = at + 1;
    else throw expectedError(where, 'true, false, 1 or 0 (BOOL)', bytes, at);
    if (count === data.length) {
      const larger = allocateUncleared('BOOL', Math.max(16, count * 2));
      larger.set(data);
      data = larger;
    }
    data[count] = byte === LOWER_T || byte === ONE ? 1 : 0;
    count += 1;
    return end;
  }

  function readElements(at: number, where: Where): number {
    for (;;) {
      at = skipSpace(bytes, read(at, where));
      if (bytes[at] !== COMMA) return at;
      at = skipSpace(bytes, at + 1);
    }
  }

  return {
    read,
    readElements,
    count: () => count,
    take: () => (count === data.length ? data : data.subarray(0, count)),
  };
}

/** Does a number go on with this byte? 10, 0.5 and 1e0 are no booleans. */
function goesOn(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  const isDigit = byte >= 0x30 && byte <= 0x39;
  return isDigit || byte === 0x2e || (byte | 0x20) === 0x65;
}

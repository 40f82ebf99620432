import { allocateUncleared, growUncleared } from '../tensor/allocate.ts';
import type { ElementReader } from './element-reader.ts';
import { expectedError, type Where } from './json-error.ts';
import { hasWord } from './json-value.ts';
import { readElements } from './read-elements.ts';

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
    if (count === data.length) data = growUncleared('BOOL', data);
    data[count] = byte === LOWER_T || byte === ONE ? 1 : 0;
    count += 1;
    return end;
  }

  return {
    read,
    readElements: (at, where) => readElements(bytes, at, where, read, (at) => at),
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

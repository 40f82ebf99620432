import { allocateUncleared, growUncleared } from '../tensor/allocate.ts';
import type { ElementReader } from './element-reader.ts';
import { overflowError, readNonFinite } from './float-reader.ts';
import type { Where } from './json-error.ts';
import { createNumberToken, scanNumber, toSingle } from './json-number.ts';
import { LONGEST_PLAIN, type Run, scanDecimals } from './plain-numbers.ts';
import { readElements } from './read-elements.ts';

/**
 * FP32, by far the most frequent datatype, in a reader of its own: see `createFloatReader` for what it takes.
 * A number becomes the FP32 nearest to its nearest double, as by `Math.fround(JSON.parse(text))`.
 */
export function createSingleReader(bytes: Uint8Array, capacity: number): ElementReader {
  const token = createNumberToken();
  const run: Run = { at: 0, count: 0 };
  let view: DataView | undefined;
  let count = 0;
  let data = allocateUncleared('FP32', capacity);

  function read(at: number, where: Where): number {
    let end = scanNumber(bytes, at, token);
    let value: number;
    if (end >= 0) {
      value = toSingle(token, bytes, at, end);
      if (value - value !== 0) throw overflowError(bytes, at, end, 'FP32', where);
    } else ({ value, end } = readNonFinite(bytes, at, 'FP32', where));
    if (count === data.length) data = growUncleared('FP32', data);
    data[count] = value;
    count += 1;
    return end;
  }

  function readPlain(at: number): number {
    if (at + LONGEST_PLAIN >= bytes.length) return at;
    view ??= new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    run.at = at;
    run.count = count;
    scanDecimals(view, data, run);
    count = run.count;
    return run.at;
  }

  return {
    read,
    readElements: (at, where) => readElements(bytes, at, where, read, readPlain),
    count: () => count,
    take: () => (count === data.length ? data : data.subarray(0, count)),
  };
}

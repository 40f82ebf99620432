import type { ElementReader } from './element-reader.ts';
import { overflowError, readNonFinite } from './float-reader.ts';
import type { Where } from './json-error.ts';
import { createNumberToken, scanNumber, toSingle } from './json-number.ts';

/**
 * FP32, by far the most frequent datatype, in a reader of its own: see `createFloatReader` for what it takes.
 * A number becomes the FP32 nearest to its nearest double, as by `Math.fround(JSON.parse(text))`.
 */
export function createSingleReader(bytes: Uint8Array, capacity: number): ElementReader {
  const token = createNumberToken();
  let data = new Float32Array(capacity);
  let count = 0;

  function read(at: number, where: Where): number {
    let end = scanNumber(bytes, at, token);
    let value: number;
    if (end >= 0) {
      value = toSingle(token, bytes, at, end);
      if (value - value !== 0) throw overflowError(bytes, at, end, 'FP32', where);
    } else ({ value, end } = readNonFinite(bytes, at, 'FP32', where));
    if (count === data.length) {
      const larger = new Float32Array(Math.max(16, count * 2));
      larger.set(data);
      data = larger;
    }
    data[count] = value;
    count += 1;
    return end;
  }

  return { read, take: () => data.subarray(0, count) };
}

import { allocateUncleared, growUncleared } from '../tensor/allocate.ts';
import type { TensorData } from '../tensor/tensor.ts';
import type { ElementReader } from './element-reader.ts';
import { expectedError, type Where } from './json-error.ts';
import { asciiText, createNumberToken, scanNumber } from './json-number.ts';
import { LONGEST_PLAIN, type Run, scanIntegers } from './plain-numbers.ts';
import { readElements } from './read-elements.ts';

const RANGES = {
  INT64: [-(2n ** 63n), 2n ** 63n - 1n],
  UINT64: [0n, 2n ** 64n - 1n],
} as const;

/** Where integers are before they are widened. */
const BLOCK = new Int32Array(512);

/**
 * 64-bit integers, exact to the last digit, written with digits alone. What a double holds exactly is stored
 * as two 32-bit words, which makes no bigint; only longer numbers do.
 */
export function createLongReader(
  bytes: Uint8Array,
  datatype: 'INT64' | 'UINT64',
  capacity: number,
): ElementReader {
  const [lowest, highest] = RANGES[datatype];
  const token = createNumberToken();
  /** Little-endian: the low word of element i at 2i, the high word at 2i + 1. */
  let words = allocateUncleared('UINT32', capacity * 2);
  const run: Run = { at: 0, count: 0 };
  let view: DataView | undefined;
  let count = 0;

  function read(at: number, where: Where): number {
    const end = scanNumber(bytes, at, token);
    const fits = end >= 0 && token.integral;
    if (!fits || (token.negative && datatype === 'UINT64' && token.mantissa !== 0))
      throw outOfRange(at, where);
    if (count * 2 === words.length) words = growUncleared('UINT32', words);
    if (token.exact) storeDouble(token.negative ? -token.mantissa : token.mantissa);
    else {
      // Twenty digits are the longest that can fit: a longer text is not worth a bigint.
      const value = end - at > 20 ? highest + 1n : BigInt(asciiText(bytes, at, end));
      if (value < lowest || value > highest) throw outOfRange(at, where);
      words[count * 2] = Number(value & 0xffff_ffffn);
      words[count * 2 + 1] = Number((value >> 32n) & 0xffff_ffffn);
    }
    count += 1;
    return end;
  }

  function readPlain(at: number): number {
    if (at + LONGEST_PLAIN >= bytes.length) return at;
    view ??= new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const block = BLOCK.subarray(0, words.length / 2 - count);
    run.at = at;
    run.count = 0;
    scanIntegers(view, block, run, datatype === 'INT64' ? -(2 ** 31) : 0, 2 ** 31 - 1);
    for (let index = 0; index < run.count; index++) {
      words[(count + index) * 2] = block[index]!;
      words[(count + index) * 2 + 1] = block[index]! >> 31;
    }
    count += run.count;
    return run.at;
  }

  /** Splits by floor division, which gives the two's complement of negative numbers as well. */
  function storeDouble(value: number): void {
    const high = Math.floor(value / 2 ** 32);
    words[count * 2] = value - high * 2 ** 32;
    words[count * 2 + 1] = high;
  }

  function outOfRange(at: number, where: Where) {
    return expectedError(where, `an integer from ${lowest} to ${highest} (${datatype})`, bytes, at);
  }

  function take(): TensorData {
    return datatype === 'INT64'
      ? new BigInt64Array(words.buffer, 0, count)
      : new BigUint64Array(words.buffer, 0, count);
  }

  return {
    read,
    readElements: (at, where) => readElements(bytes, at, where, read, readPlain),
    count: () => count,
    take,
  };
}

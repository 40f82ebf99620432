import { allocateUncleared, growUncleared } from '../tensor/allocate.ts';
import type { ElementReader } from './element-reader.ts';
import { expectedError, type Where } from './json-error.ts';
import { createNumberToken, scanNumber } from './json-number.ts';
import { LONGEST_PLAIN, type Run, scanIntegers } from './plain-numbers.ts';
import { readElements } from './read-elements.ts';

export type IntegerDatatype = 'INT8' | 'INT16' | 'INT32' | 'UINT8' | 'UINT16' | 'UINT32';

const RANGES = {
  INT8: [-(2 ** 7), 2 ** 7 - 1],
  INT16: [-(2 ** 15), 2 ** 15 - 1],
  INT32: [-(2 ** 31), 2 ** 31 - 1],
  UINT8: [0, 2 ** 8 - 1],
  UINT16: [0, 2 ** 16 - 1],
  UINT32: [0, 2 ** 32 - 1],
} as const satisfies Record<IntegerDatatype, readonly [number, number]>;

/** Where integers are before they are narrowed. */
const BLOCK = new Int32Array(512);

/**
 * Integers of up to 32 bits, written with digits alone: 1.0 and 1e3 are refused, as Triton does, since a client
 * that sends fractions for an integer input mostly has the wrong tensor.
 */
export function createIntegerReader(
  bytes: Uint8Array,
  datatype: IntegerDatatype,
  capacity: number,
): ElementReader {
  const [lowest, highest] = RANGES[datatype];
  const token = createNumberToken();
  const run: Run = { at: 0, count: 0 };
  let view: DataView | undefined;
  let data = allocateUncleared(datatype, capacity);
  let count = 0;

  function read(at: number, where: Where): number {
    const end = scanNumber(bytes, at, token);
    const value = token.negative ? -token.mantissa : token.mantissa;
    if (end < 0 || !token.integral || value < lowest || value > highest) {
      throw expectedError(where, `an integer from ${lowest} to ${highest} (${datatype})`, bytes, at);
    }
    if (count === data.length) data = growUncleared(datatype, data);
    data[count] = value;
    count += 1;
    return end;
  }

  function readPlain(at: number): number {
    if (at + LONGEST_PLAIN >= bytes.length) return at;
    view ??= new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const block = BLOCK.subarray(0, data.length - count);
    run.at = at;
    run.count = 0;
    scanIntegers(view, block, run, lowest, highest);
    data.set(block.subarray(0, run.count), count);
    count += run.count;
    return run.at;
  }

  return {
    read,
    readElements: (at, where) => readElements(bytes, at, where, read, readPlain),
    count: () => count,
    take: () => (count === data.length ? data : data.subarray(0, count)),
  };
}

import { ARRAY_OF } from '../tensor/datatype.ts';
import type { ElementReader } from './element-reader.ts';
import { expectedError, type Where } from './json-error.ts';
import { createNumberToken, scanNumber } from './json-number.ts';

export type IntegerDatatype = 'INT8' | 'INT16' | 'INT32' | 'UINT8' | 'UINT16' | 'UINT32';

const RANGES = {
  INT8: [-(2 ** 7), 2 ** 7 - 1],
  INT16: [-(2 ** 15), 2 ** 15 - 1],
  INT32: [-(2 ** 31), 2 ** 31 - 1],
  UINT8: [0, 2 ** 8 - 1],
  UINT16: [0, 2 ** 16 - 1],
  UINT32: [0, 2 ** 32 - 1],
} as const satisfies Record<IntegerDatatype, readonly [number, number]>;

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
  let data = new ARRAY_OF[datatype](capacity);
  let count = 0;

  function read(at: number, where: Where): number {
    const end = scanNumber(bytes, at, token);
    const value = token.negative ? -token.mantissa : token.mantissa;
    if (end < 0 || !token.integral || value < lowest || value > highest) {
      throw expectedError(where, `an integer from ${lowest} to ${highest} (${datatype})`, bytes, at);
    }
    if (count === data.length) {
      const larger = new ARRAY_OF[datatype](Math.max(16, count * 2));
      larger.set(data);
      data = larger;
    }
    data[count] = value;
    count += 1;
    return end;
  }

  return { read, take: () => data.subarray(0, count) };
}

import { invalidInput } from '../base/errors/nimify-error.ts';
import { allocateTensorData } from '../base/tensor/allocate.ts';
import type { Datatype, TypedArray } from '../base/tensor/datatype.ts';
import { bfloat16ToFloat, floatToBfloat16, floatToHalf, halfToFloat } from '../base/tensor/half.ts';
import { isBytesData, type TensorData } from '../base/tensor/tensor.ts';

const INTEGER_RANGES: Partial<Record<Datatype, readonly [min: bigint, max: bigint]>> = {
  BOOL: [0n, 1n],
  UINT8: [0n, 2n ** 8n - 1n],
  UINT16: [0n, 2n ** 16n - 1n],
  UINT32: [0n, 2n ** 32n - 1n],
  UINT64: [0n, 2n ** 64n - 1n],
  INT8: [-(2n ** 7n), 2n ** 7n - 1n],
  INT16: [-(2n ** 15n), 2n ** 15n - 1n],
  INT32: [-(2n ** 31n), 2n ** 31n - 1n],
  INT64: [-(2n ** 63n), 2n ** 63n - 1n],
};

/**
 * The same values in the datatype that a model wants. A file's datatype is often an accident (NumPy makes
 * doubles), so numbers are rounded to a narrower float; an integer that would change its value is refused.
 * @param where path of the values, for errors
 * @throws NimifyError INVALID_INPUT with the first element that has no counterpart
 */
export function convertData(data: TensorData, from: Datatype, to: Datatype, where: string): TensorData {
  if (from === to) return data;
  if (isBytesData(data) || to === 'BYTES') {
    throw invalidInput(`${where}: the model takes ${to}, the file holds ${from}; save it as the other kind`, {
      where,
      expected: to,
      got: from,
    });
  }
  const target = allocateTensorData(to, data.length) as TypedArray;
  const range = INTEGER_RANGES[to];
  for (let at = 0; at < data.length; at += 1) {
    const value = toValue(data[at]!, from);
    if (range === undefined) target[at] = fromFloat(Number(value), to);
    else writeInteger(target, at, toInteger(value, range, to, `${where}[${at}]`));
  }
  return target;
}

/** The number that an element stands for: FP16 and BF16 are held as bits. */
export function toValue(element: number | bigint, datatype: Datatype): number | bigint {
  if (datatype === 'FP16') return halfToFloat(Number(element));
  if (datatype === 'BF16') return bfloat16ToFloat(Number(element));
  return element;
}

/** What to store for a number in a float datatype. */
export function fromFloat(value: number, datatype: Datatype): number {
  if (datatype === 'FP16') return floatToHalf(value);
  if (datatype === 'BF16') return floatToBfloat16(value);
  return value;
}

function toInteger(
  value: number | bigint,
  [min, max]: readonly [bigint, bigint],
  datatype: Datatype,
  where: string,
): bigint {
  if (typeof value === 'bigint' || Number.isInteger(value)) {
    const integer = BigInt(value);
    if (integer >= min && integer <= max) return integer;
  }
  throw invalidInput(`${where}: expected ${datatype} (an integer from ${min} to ${max}), got ${value}`, {
    where,
    expected: datatype,
    got: String(value),
  });
}

function writeInteger(target: TypedArray, at: number, value: bigint): void {
  target[at] = target instanceof BigInt64Array || target instanceof BigUint64Array ? value : Number(value);
}

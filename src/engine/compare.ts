import type { Datatype } from '../base/tensor/datatype.ts';
import { halfToFloat } from '../base/tensor/half.ts';
import { isBytesData, type Tensor } from '../base/tensor/tensor.ts';

/**
 * How far two answers to the same row may lie apart when one was computed alone and one in a batch. A float run
 * adds up in another order when its batch size changes, so last digits differ: by up to 8e-5 of the row's largest
 * value, measured on an FP32 network with one convolution over 2048 positions. A row that is influenced by an
 * outlier differs by far more. `absolute` is relative to the largest magnitude of the row, since small values
 * that are differences of large ones carry the error of the large. Everything that is no float must be equal.
 */
export const TOLERANCES: Readonly<Partial<Record<Datatype, Tolerance>>> = {
  FP16: { relative: 1e-2, absolute: 2e-3 },
  FP32: { relative: 1e-3, absolute: 2e-4 },
  // Computed in double only where the whole graph is; a cast to FP32 on the way is common.
  FP64: { relative: 1e-3, absolute: 2e-4 },
};

export interface Tolerance {
  readonly relative: number;
  readonly absolute: number;
}

export type Comparison = 'same' | 'different' | 'undecided';

/** `undecided`: there is a NaN, which equals nothing. Infinities equal themselves. */
export function compareTensors(left: Tensor, right: Tensor): Comparison {
  if (left.datatype !== right.datatype || left.shape.join() !== right.shape.join()) return 'different';
  const tolerance = TOLERANCES[left.datatype];
  return tolerance === undefined ? compareExactly(left, right) : compareFloats(left, right, tolerance);
}

function compareExactly(left: Tensor, right: Tensor): Comparison {
  if (isBytesData(left.data) && isBytesData(right.data)) {
    const count = left.data.offsets.length - 1;
    for (let index = 0; index < count; index++) {
      const [a, b] = [left.data, right.data].map(({ bytes, offsets }) =>
        Buffer.from(bytes.subarray(offsets[index]!, offsets[index + 1]!)),
      );
      if (!a!.equals(b!)) return 'different';
    }
    return 'same';
  }
  const [a, b] = [left.data as Int32Array, right.data as Int32Array];
  return a.every((value, index) => value === b[index]) ? 'same' : 'different';
}

function compareFloats(left: Tensor, right: Tensor, { relative, absolute }: Tolerance): Comparison {
  const [a, b] = [toNumbers(left), toNumbers(right)];
  let largest = 0;
  for (const value of a) if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
  let verdict: Comparison = 'same';
  for (let index = 0; index < a.length; index++) {
    const [x, y] = [a[index]!, b[index]!];
    if (Number.isNaN(x) || Number.isNaN(y)) verdict = 'undecided';
    else if (x !== y) {
      const allowed = absolute * largest + relative * Math.max(Math.abs(x), Math.abs(y));
      if (!Number.isFinite(x - y) || Math.abs(x - y) > allowed) return 'different';
    }
  }
  return verdict;
}

function toNumbers({ datatype, data }: Tensor): Float64Array {
  const numbers = data as Float64Array;
  return datatype === 'FP16' ? Float64Array.from(numbers, halfToFloat) : Float64Array.from(numbers);
}

import type { Datatype, TypedArray } from './datatype.ts';

/**
 * The elements of a BYTES tensor: element `i` is `bytes[offsets[i] .. offsets[i + 1])`. `offsets` has one
 * entry more than there are elements. Strings are UTF-8; they become JavaScript strings only where an engine
 * or a JSON answer wants them.
 */
export interface BytesData {
  readonly bytes: Uint8Array;
  readonly offsets: Uint32Array;
}

/** Row-major elements: the typed array of the datatype (`ARRAY_OF`), or `BytesData` for BYTES. */
export type TensorData = TypedArray | BytesData;

export interface Tensor {
  readonly name: string;
  readonly datatype: Datatype;
  /** Concrete dimensions, all >= 0. `[]` is a scalar with one element. */
  readonly shape: readonly number[];
  readonly data: TensorData;
}

export function isBytesData(data: TensorData): data is BytesData {
  return !ArrayBuffer.isView(data);
}

/** Number of elements in the data, whatever the shape says. */
export function dataLength(data: TensorData): number {
  return isBytesData(data) ? data.offsets.length - 1 : data.length;
}

/**
 * Product of the dimensions; 1 for a scalar. NaN where a dimension is negative or no integer, or where the
 * product of the non-zero dimensions is above `Number.MAX_SAFE_INTEGER`: callers turn NaN into an error that
 * names the place.
 */
export function elementCount(shape: readonly number[]): number {
  let product = 1;
  let zero = false;
  for (const dimension of shape) {
    if (!Number.isSafeInteger(dimension) || dimension < 0) return Number.NaN;
    if (dimension === 0) zero = true;
    else product *= dimension;
    if (product > Number.MAX_SAFE_INTEGER) return Number.NaN;
  }
  return zero ? 0 : product;
}

import { invalidInput } from '../errors/nimify-error.ts';
import { allocateTensorData } from './allocate.ts';
import type { TypedArray } from './datatype.ts';
import { type BytesData, elementCount, isBytesData, type Tensor } from './tensor.ts';

/** Size of dimension 0, the row axis. @throws NimifyError INVALID_INPUT on a scalar, which has no rows */
export function rowCount(tensor: Tensor): number {
  const rows = tensor.shape[0];
  if (rows === undefined) throw invalidInput(`tensor '${tensor.name}' is a scalar and has no rows`);
  return rows;
}

/**
 * Rows [from, to) as a view: nothing is copied, BYTES included (its offsets then start above 0).
 * @throws NimifyError INVALID_INPUT where the range is not within the tensor
 */
export function sliceRows(tensor: Tensor, from: number, to: number): Tensor {
  const rows = rowCount(tensor);
  if (!(from >= 0 && from <= to && to <= rows)) {
    throw invalidInput(`tensor '${tensor.name}' has ${rows} rows, got the range [${from}, ${to})`);
  }
  const rowElements = elementCount(tensor.shape.slice(1));
  const data = isBytesData(tensor.data)
    ? {
        bytes: tensor.data.bytes,
        offsets: tensor.data.offsets.subarray(from * rowElements, to * rowElements + 1),
      }
    : tensor.data.subarray(from * rowElements, to * rowElements);
  return { ...tensor, shape: [to - from, ...tensor.shape.slice(1)], data };
}

/**
 * The rows of all tensors in one, in order: one copy of the elements. Name and datatype are the first one's.
 * A single tensor is returned as it is.
 * @throws NimifyError INVALID_INPUT where datatypes or trailing dimensions differ, or there is no tensor
 */
export function concatRows(tensors: readonly Tensor[]): Tensor {
  const first = tensors[0];
  if (first === undefined) throw invalidInput('expected at least one tensor to join by rows, got none');
  if (tensors.length === 1) return first;
  let rows = 0;
  for (const tensor of tensors) {
    rows += rowCount(tensor);
    if (tensor.datatype !== first.datatype || !sameTrailingShape(tensor.shape, first.shape)) {
      throw invalidInput(
        `tensor '${tensor.name}': expected ${first.datatype} rows of [${first.shape.slice(1).join(',')}], ` +
          `got ${tensor.datatype} rows of [${tensor.shape.slice(1).join(',')}]`,
      );
    }
  }
  const data = isBytesData(first.data) ? concatBytes(tensors) : concatFixed(tensors);
  return { ...first, shape: [rows, ...first.shape.slice(1)], data };
}

function sameTrailingShape(left: readonly number[], right: readonly number[]): boolean {
  if (left.length !== right.length) return false;
  for (let axis = 1; axis < left.length; axis++) if (left[axis] !== right[axis]) return false;
  return true;
}

function concatFixed(tensors: readonly Tensor[]): TypedArray {
  let count = 0;
  for (const tensor of tensors) count += (tensor.data as TypedArray).length;
  const joined = allocateTensorData(tensors[0]!.datatype, count) as TypedArray;
  let at = 0;
  for (const tensor of tensors) {
    const part = tensor.data as TypedArray;
    // Equal datatypes mean equal array types, so numbers never meet bigints here.
    (joined as Uint8Array).set(part as Uint8Array, at);
    at += part.length;
  }
  return joined;
}

function concatBytes(tensors: readonly Tensor[]): BytesData {
  let count = 0;
  let size = 0;
  for (const tensor of tensors) {
    const { offsets } = tensor.data as BytesData;
    count += offsets.length - 1;
    size += offsets[offsets.length - 1]! - offsets[0]!;
  }
  if (size > 0xffff_ffff)
    throw invalidInput(`expected at most 4 GiB of BYTES in one tensor, got ${size} bytes`);
  const bytes = new Uint8Array(size);
  const joined = new Uint32Array(count + 1);
  let byteAt = 0;
  let elementAt = 0;
  for (const tensor of tensors) {
    const { bytes: part, offsets } = tensor.data as BytesData;
    const start = offsets[0]!;
    const last = offsets.length - 1;
    bytes.set(part.subarray(start, offsets[last]), byteAt);
    for (let index = 1; index <= last; index++) joined[++elementAt] = byteAt + offsets[index]! - start;
    byteAt += offsets[last]! - start;
  }
  return { bytes, offsets: joined };
}

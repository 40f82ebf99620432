import {
  ARRAY_OF,
  elementSizeBytes,
  type FixedDatatype,
  type TypedArray,
} from '../../../base/tensor/datatype.ts';
import { type BufferOwner, createOwner } from '../../../base/tensor/owner.ts';
import { isBytesData, type Tensor } from '../../../base/tensor/tensor.ts';
import { type BufferPool, createBufferPool } from '../../../base/util/buffer-pool.ts';
import { systemClock } from '../../../base/util/clock.ts';

const MOST_KEPT_BYTES = 32 * 2 ** 20;

/** Memory of outputs, of all models together: the same shapes come again, and what a run writes is its own until then. */
export const outputPool: BufferPool = createBufferPool({ clock: systemClock, maxKeptBytes: MOST_KEPT_BYTES });

/** Room for `count` elements whose content is not defined. */
export function takeElements<D extends FixedDatatype>(
  datatype: D,
  count: number,
): InstanceType<(typeof ARRAY_OF)[D]> {
  const ArrayType = ARRAY_OF[datatype] as unknown as new (
    room: ArrayBuffer,
    at: number,
    count: number,
  ) => InstanceType<(typeof ARRAY_OF)[D]>;
  return new ArrayType(outputPool.take(count * elementSizeBytes(datatype)), 0, count);
}

/** Of the memory of these outputs, which goes back to the pool with its last release. */
export function ownerOfOutputs(outputs: readonly Tensor[]): BufferOwner {
  return createOwner(() => {
    for (const { data } of outputs) if (!isBytesData(data)) giveElements(data);
  });
}

/** Takes back what nobody looks at any more. */
export function giveElements({ buffer }: TypedArray): void {
  outputPool.give(buffer as ArrayBuffer);
}

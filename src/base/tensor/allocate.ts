import { invalidInput } from '../errors/nimify-error.ts';
import {
  ARRAY_OF,
  type Datatype,
  elementSizeBytes,
  type FixedDatatype,
  type TypedArray,
} from './datatype.ts';
import type { TensorData } from './tensor.ts';

/** Room for `count` elements, all zero; for BYTES `count` empty elements. */
export function allocateTensorData(datatype: Datatype, count: number): TensorData {
  if (datatype === 'BYTES') return { bytes: new Uint8Array(0), offsets: new Uint32Array(count + 1) };
  return new ARRAY_OF[datatype](count);
}

/** Memory of this size and more is taken as it is; clearing smaller pieces costs less than the detour. */
const UNCLEARED_FROM_BYTES = 4096;

/**
 * Room for `count` elements whose content is not defined. Whoever asks writes them before anyone reads them, or shows
 * only those that were written. Clearing 600 KB takes a quarter of the time in which they are parsed.
 */
export function allocateUncleared<D extends FixedDatatype>(
  datatype: D,
  count: number,
): InstanceType<(typeof ARRAY_OF)[D]> {
  const ArrayType = ARRAY_OF[datatype] as unknown as new (
    room: number | ArrayBufferLike,
  ) => InstanceType<(typeof ARRAY_OF)[D]>;
  const sizeBytes = count * elementSizeBytes(datatype);
  return new ArrayType(sizeBytes < UNCLEARED_FROM_BYTES ? count : Buffer.allocUnsafeSlow(sizeBytes).buffer);
}

/** Twice the room of `data`, at least for 16 elements: first those that are there, then what is not defined. */
export function growUncleared<D extends Exclude<FixedDatatype, 'INT64' | 'UINT64'>>(
  datatype: D,
  data: InstanceType<(typeof ARRAY_OF)[D]>,
): InstanceType<(typeof ARRAY_OF)[D]> {
  const larger = allocateUncleared(datatype, Math.max(16, data.length * 2));
  larger.set(data);
  return larger;
}

/**
 * The bytes as elements of `datatype`: a view where they are aligned for it, else one copy. Little-endian, as
 * every platform is that Node and ONNX Runtime are built for.
 * @throws NimifyError INVALID_INPUT where the length is no multiple of the element size
 */
export function wrapBytes(datatype: FixedDatatype, bytes: Uint8Array): TypedArray {
  const size = elementSizeBytes(datatype);
  if (bytes.byteLength % size !== 0) {
    throw invalidInput(`expected a multiple of ${size} bytes for ${datatype}, got ${bytes.byteLength}`, {
      expected: `a multiple of ${size} bytes`,
      got: bytes.byteLength,
    });
  }
  const aligned = bytes.byteOffset % size === 0 ? bytes : copyOf(bytes);
  return new ARRAY_OF[datatype](aligned.buffer as ArrayBuffer, aligned.byteOffset, bytes.byteLength / size);
}

/** `slice` is no copy on a Buffer, so this one is spelled out. */
function copyOf(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(bytes.byteLength);
  copy.set(bytes);
  return copy;
}

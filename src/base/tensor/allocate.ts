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

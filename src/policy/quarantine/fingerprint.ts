import { createHash } from 'node:crypto';
import { isBytesData, type Tensor, type TensorData } from '../../base/tensor/tensor.ts';

/** Bytes of a tensor that a sketch looks at, at most. */
const SKETCHED_BYTES = 64;

/** The content of a request, SHA-256 over its inputs: 1 ms for about a megabyte. */
export function fingerprintOf(inputs: readonly Tensor[]): string {
  const hash = createHash('sha256');
  for (const { name, datatype, shape, data } of inputs) {
    hash.update(JSON.stringify([name, datatype, shape]));
    for (const bytes of bytesOf(data)) hash.update(bytes);
  }
  return hash.digest('hex');
}

/**
 * A number that is the same for the same content, and mostly another for another: sizes, and some bytes of each tensor.
 * It takes a microsecond, and spares nearly all requests their fingerprint. FNV-1a (Fowler, Noll and Vo).
 */
export function sketchOf(inputs: readonly Tensor[]): number {
  let sketch = 0x811c9dc5;
  for (const { data } of inputs) {
    for (const bytes of bytesOf(data)) {
      sketch = mix(sketch, bytes.length);
      const step = Math.max(1, Math.floor(bytes.length / SKETCHED_BYTES));
      for (let at = 0; at < bytes.length; at += step) sketch = mix(sketch, bytes[at]!);
    }
  }
  return sketch;
}

function mix(sketch: number, value: number): number {
  return Math.imul(sketch ^ value, 0x01000193) >>> 0;
}

function bytesOf(data: TensorData): readonly Uint8Array[] {
  if (!isBytesData(data)) return [new Uint8Array(data.buffer, data.byteOffset, data.byteLength)];
  const { bytes, offsets } = data;
  return [bytes, new Uint8Array(offsets.buffer, offsets.byteOffset, offsets.byteLength)];
}

import type { Frame } from '../../base/oip/grpc-frame.ts';

/** Short messages are copied into memory for many, since to ask for some costs more than to copy. */
const SLAB_BYTES = 64 * 1024;
const LONGEST_IN_SLAB = 2048;
let slab = new Uint8Array(0);
let slabUsed = 0;

/** The frame in memory of its own, whose it may be for as long as its call takes. */
export function copyFrame({ isCompressed, isOwn, message }: Frame): Frame {
  return { isCompressed, isOwn, message: { bytes: copyOf(message.bytes) } };
}

function copyOf(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  if (length > LONGEST_IN_SLAB) return bytes.slice();
  if (slabUsed + length > slab.length) {
    slab = new Uint8Array(Buffer.allocUnsafeSlow(SLAB_BYTES).buffer);
    slabUsed = 0;
  }
  const copy = new Uint8Array(slab.buffer, slabUsed, length);
  copy.set(bytes);
  slabUsed += (length + 7) & ~7;
  return copy;
}

import { createOwner } from '../../../base/tensor/owner.ts';
import type { OwnedBody } from '../infer-call.ts';

/** A body of known length that is still coming. */
export interface IncomingBody {
  readonly isWhole: boolean;
  /**
   * Takes what belongs to the body from the start of `chunk`; returns how many bytes that are.
   * @throws RangeError there is no memory for the body
   */
  push(chunk: Uint8Array): number;
  /** The body, once, when it is whole. */
  take(): OwnedBody;
}

const ALIGNMENT = 8;

/**
 * The buffer is made when the first byte comes, so that announcing a large body costs the server nothing.
 *
 * @param alignAt offset in the body that is to lie on a multiple of 8 in memory
 */
export function createIncomingBody(byteLength: number, alignAt: number): IncomingBody {
  const padding = (ALIGNMENT - (alignAt % ALIGNMENT)) % ALIGNMENT;
  let bytes: Uint8Array | undefined;
  let length = 0;

  return {
    get isWhole() {
      return length === byteLength;
    },
    push(chunk) {
      bytes ??= allocate(padding, byteLength);
      const taken = Math.min(chunk.length, byteLength - length);
      bytes.set(taken === chunk.length ? chunk : chunk.subarray(0, taken), length);
      length += taken;
      return taken;
    },
    take() {
      const whole = bytes ?? new Uint8Array(0);
      bytes = undefined;
      return { bytes: whole, owner: createOwner() };
    },
  };
}

/** Never a part of Node's shared pool: a host may transfer it to another thread. */
function allocate(padding: number, byteLength: number): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(padding + byteLength).buffer, padding, byteLength);
}

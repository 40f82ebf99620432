import type { NimifyError } from '../../../base/errors/nimify-error.ts';
import { createOwner } from '../../../base/tensor/owner.ts';
import type { BufferPool } from '../../../base/util/buffer-pool.ts';
import { type MemoryClaim, SMALLEST_CLAIM_BYTES } from '../../memory-claims.ts';
import type { MemoryRoom } from '../../memory-room.ts';
import type { OwnedBody } from '../infer-call.ts';

/** A body of known length that is still coming. */
export interface IncomingBody {
  readonly isWhole: boolean;
  /**
   * Takes what belongs to the body from the start of `chunk`; returns how many bytes that are.
   * @throws NimifyError as `MemoryRoom.claim`; RangeError: the system has no memory for the body
   */
  push(chunk: Uint8Array): number;
  /** Where the rest of it can be put without `push`; undefined before the first byte, and when it is whole. */
  room(): Uint8Array | undefined;
  /** `size` bytes were put at the start of `room`. */
  advance(size: number): void;
  /** The body, once, when it is whole. Its memory goes back to the pool when its owner is released. */
  take(): OwnedBody;
  /** Gives the memory back of a body that nobody wants any more. */
  drop(): void;
}

/** Where bodies get their memory from, and who decides whether they may have it. */
export interface BodyMemory {
  readonly pool: BufferPool;
  readonly memoryRoom: MemoryRoom;
  /** The body that is coming comes so slowly that others get its memory: it is to be dropped. */
  readonly onRevoke: (error: NimifyError) => void;
}

const ALIGNMENT = 8;

/**
 * The buffer is made when the first byte comes, so that announcing a large body costs the server nothing.
 *
 * @param alignAt offset in the body that is to lie on a multiple of 8 in memory
 */
export function createIncomingBody(
  byteLength: number,
  alignAt: number,
  { pool, memoryRoom, onRevoke }: BodyMemory,
): IncomingBody {
  const padding = (ALIGNMENT - (alignAt % ALIGNMENT)) % ALIGNMENT;
  let bytes: Uint8Array<ArrayBuffer> | undefined;
  let claim: MemoryClaim | undefined;
  let length = 0;

  function makeRoom(): Uint8Array<ArrayBuffer> {
    if (byteLength < SMALLEST_CLAIM_BYTES) memoryRoom.checkShort();
    else claim = memoryRoom.claim(byteLength, { onRevoke });
    return new Uint8Array(pool.take(padding + byteLength), padding, byteLength);
  }

  return {
    get isWhole() {
      return length === byteLength;
    },
    push(chunk) {
      bytes ??= makeRoom();
      const taken = Math.min(chunk.length, byteLength - length);
      bytes.set(taken === chunk.length ? chunk : chunk.subarray(0, taken), length);
      length += taken;
      claim?.arrived(taken);
      return taken;
    },
    room: () => (length === byteLength ? undefined : bytes?.subarray(length)),
    advance(size) {
      length += size;
      claim?.arrived(size);
    },
    take() {
      const whole = bytes ?? new Uint8Array(0);
      const { buffer } = whole;
      const held = claim;
      held?.complete();
      bytes = undefined;
      claim = undefined;
      function free(): void {
        pool.give(buffer);
        held?.release();
      }
      return { bytes: whole, owner: createOwner(free) };
    },
    drop() {
      if (bytes !== undefined) pool.give(bytes.buffer);
      bytes = undefined;
      claim?.release();
      claim = undefined;
    },
  };
}

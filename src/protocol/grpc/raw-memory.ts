import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { AllocateRaw } from '../../base/oip/grpc-frame.ts';
import type { InferMessage } from '../../base/oip/infer-message.ts';
import { type BufferOwner, createOwner } from '../../base/tensor/owner.ts';
import type { BufferPool } from '../../base/util/buffer-pool.ts';
import type { MemoryClaim } from '../memory-claims.ts';

interface HeldMessage {
  readonly message: InferMessage;
  readonly claim: MemoryClaim | undefined;
}

/** Memory for the raw contents of a message, from the pool. What it throws is OVERLOADED: there is none left. */
export function rawAllocator(pool: BufferPool): AllocateRaw {
  return (byteLength) => {
    try {
      return new Uint8Array(pool.take(byteLength), 0, byteLength);
    } catch (cause) {
      throw new NimifyError(
        'OVERLOADED',
        `message: there is no memory for its ${byteLength} bytes now; send it again later, or fewer rows in a request`,
        { details: { where: 'message' }, retryAfterMs: 1000, cause },
      );
    }
  };
}

/** Owner of a message: with its last release the raw contents that were taken out of it go back to the pool. */
export function ownerOf({ message, claim }: HeldMessage, pool: BufferPool): BufferOwner {
  return createOwner(() => {
    for (const { buffer } of message.rawContents ?? []) pool.give(buffer as ArrayBuffer);
    claim?.release();
  });
}

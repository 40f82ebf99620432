import type { Clock, Timer } from './clock.ts';
import { freeBuffer } from './free-buffer.ts';

/**
 * Large buffers that are used again and again: a fresh large buffer costs more than all else that is done with it, since
 * the system hands out every page of it anew. What was in a buffer before may still be in it.
 */
export interface BufferPool {
  /**
   * Room for at least `sizeBytes`; for small sizes, memory of its own each time.
   * @throws RangeError there is no memory for it
   */
  take(sizeBytes: number): ArrayBuffer;
  /** Takes back what `take` gave, once nobody has a view of it any more. A buffer that was transferred is forgotten. */
  give(buffer: ArrayBuffer): void;
  /** Memory that is kept and not in use, in bytes. */
  readonly keptBytes: number;
  /** Lets go of all that is kept. */
  clear(): void;
}

export interface BufferPoolOptions {
  readonly clock: Clock;
  /** Most memory that is kept and not in use. Default 64 MiB. */
  readonly maxKeptBytes?: number;
  /** What was not needed for as long as this is let go. Default 5000. */
  readonly idleMs?: number;
  /** While memory is short nothing is kept: what is given back is the system's at once. Default: it never is. */
  readonly isShort?: () => boolean;
  /** For tests: called with every buffer that is taken back, so that whoever still looks at it finds out. */
  readonly onGive?: (buffer: ArrayBuffer) => void;
}

/** Below this, making a buffer costs less than keeping it in order. */
const SMALLEST_BYTES = 16 * 1024;
/** Sizes between one power of two and the next: at most a fifth of a buffer is left over. */
const STEPS = 4;

/** Buffers of one size. */
interface Shelf {
  readonly free: ArrayBuffer[];
  /** The fewest that were free since the last look: so many were not needed. */
  leastFree: number;
}

export function createBufferPool(options: BufferPoolOptions): BufferPool {
  const { clock, maxKeptBytes = 64 * 1024 * 1024, idleMs = 5000, isShort = NEVER } = options;
  const shelves = new Map<number, Shelf>();
  let keptBytes = 0;
  let timer: Timer | undefined;

  function letGo(): void {
    timer = undefined;
    for (const [size, shelf] of shelves) {
      shelf.free.splice(0, shelf.leastFree);
      keptBytes -= shelf.leastFree * size;
      shelf.leastFree = shelf.free.length;
      if (shelf.free.length === 0) shelves.delete(size);
    }
    if (keptBytes > 0) timer = clock.setTimer(letGo, idleMs);
  }

  function shelfOf(size: number): Shelf {
    const known = shelves.get(size);
    if (known !== undefined) return known;
    const shelf = { free: [], leastFree: 0 };
    shelves.set(size, shelf);
    return shelf;
  }

  return {
    take(sizeBytes) {
      if (sizeBytes < SMALLEST_BYTES) return allocate(sizeBytes);
      const size = roundUp(sizeBytes);
      const shelf = shelves.get(size);
      const buffer = shelf?.free.pop();
      if (shelf === undefined || buffer === undefined) return allocate(size);
      shelf.leastFree = Math.min(shelf.leastFree, shelf.free.length);
      keptBytes -= size;
      return buffer;
    },
    give(buffer) {
      const size = buffer.byteLength;
      if (size < SMALLEST_BYTES) return;
      if (isShort()) {
        freeBuffer(buffer);
        return;
      }
      if (keptBytes + size > maxKeptBytes) return;
      options.onGive?.(buffer);
      shelfOf(size).free.push(buffer);
      keptBytes += size;
      timer ??= clock.setTimer(letGo, idleMs);
    },
    get keptBytes() {
      return keptBytes;
    },
    clear() {
      for (const { free } of shelves.values()) for (const buffer of free) freeBuffer(buffer);
      shelves.clear();
      keptBytes = 0;
      timer?.cancel();
      timer = undefined;
    },
  };
}

const NEVER = () => false;

function roundUp(sizeBytes: number): number {
  const step = 2 ** Math.floor(Math.log2(sizeBytes)) / STEPS;
  return Math.ceil(sizeBytes / step) * step;
}

/** Not zeroed, and no part of Node's shared pool: a host may transfer it to another thread. */
function allocate(sizeBytes: number): ArrayBuffer {
  return Buffer.allocUnsafeSlow(sizeBytes).buffer;
}

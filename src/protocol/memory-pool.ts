import { type BufferPool, createBufferPool } from '../base/util/buffer-pool.ts';
import type { Clock } from '../base/util/clock.ts';
import type { MemoryRoom } from './memory-room.ts';

/** A pool that keeps nothing while memory is short. */
export function createRoomyPool(deps: {
  readonly clock: Clock;
  readonly memoryRoom: MemoryRoom;
}): BufferPool {
  const { clock, memoryRoom } = deps;
  const pool = createBufferPool({ clock, isShort: () => memoryRoom.isShort });
  memoryRoom.onShort(() => pool.clear());
  return pool;
}

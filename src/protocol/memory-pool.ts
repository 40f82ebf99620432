import type { Clock } from '../base/util/clock.ts';
import { type BodyPool, createBodyPool } from './body-pool.ts';
import type { MemoryRoom } from './memory-room.ts';

/** A pool that keeps nothing while memory is short. */
export function createRoomyPool(deps: { readonly clock: Clock; readonly memoryRoom: MemoryRoom }): BodyPool {
  const { clock, memoryRoom } = deps;
  const pool = createBodyPool({ clock, isShort: () => memoryRoom.isShort });
  memoryRoom.onShort(() => pool.clear());
  return pool;
}

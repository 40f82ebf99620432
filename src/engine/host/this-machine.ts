import { availableParallelism, totalmem } from 'node:os';
import { readCgroupLimits } from '../../base/util/cgroup.ts';
import type { Machine } from './thread-plan.ts';

/** A container's limits where there are any. Node 20 knows that of the memory, but not that of processor time. */
export function thisMachine(): Machine {
  const limitBytes = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  const granted = readCgroupLimits().cores ?? Number.POSITIVE_INFINITY;
  return {
    cores: Math.min(availableParallelism(), Math.max(1, Math.floor(granted))),
    memoryBytes: Math.min(totalmem(), limitBytes),
  };
}

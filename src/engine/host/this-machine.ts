import { availableParallelism, totalmem } from 'node:os';
import { readCgroupLimits } from '../../base/util/cgroup.ts';
import type { Machine } from './thread-plan.ts';

/** How many processes like this one share the machine. */
let sharers = 1;

/** From now on cores and memory are planned for this process as one of so many. */
export function shareMachine(processes: number): void {
  sharers = processes;
}

/** A container's limits where there are any. Node 20 knows that of the memory, but not that of processor time. */
export function thisMachine(): Machine {
  const limitBytes = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  const granted = readCgroupLimits().cores ?? Number.POSITIVE_INFINITY;
  return {
    cores: Math.max(1, Math.floor(Math.min(availableParallelism(), granted) / sharers)),
    memoryBytes: Math.min(totalmem(), limitBytes) / sharers,
  };
}

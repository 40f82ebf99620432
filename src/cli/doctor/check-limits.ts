import type { ServerSettings } from '../../base/config/options.ts';
import { thisMachine } from '../../engine/host/this-machine.ts';
import type { Machine } from '../../engine/host/thread-plan.ts';
import { ceilingOf } from '../../protocol/memory-ceiling.ts';
import { type Finding, ok, warn } from './finding.ts';

type Limits = Pick<ServerSettings['server'], 'processes' | 'maxMemoryBytes'>;

/** What a server here gets of cores and memory, by its settings. */
export function checkLimits(
  { processes, maxMemoryBytes }: Limits,
  { cores }: Pick<Machine, 'cores'> = thisMachine(),
): readonly Finding[] {
  const each = processes === 1 ? '' : ' in each of them';
  const mib = Math.floor(ceilingOf(maxMemoryBytes, processes) / 2 ** 20);
  const ceiling = `requests are refused above ${mib} MiB of resident memory${each} (server.maxMemoryBytes)`;
  return [sharing(processes, cores), ok('ceiling', ceiling)];
}

function sharing(processes: number, cores: number): Finding {
  if (processes === 1) return ok('processes', 'one, which is best where models take the time');
  const planned = Math.max(1, Math.floor(cores / processes));
  const says = `${processes}, models being planned for ${planned === 1 ? '1 core' : `${planned} cores`} in each`;
  if (processes <= cores) return ok('processes', says);
  return warn('processes', `${says}, of ${cores} in all`, `set server.processes to at most ${cores}`);
}

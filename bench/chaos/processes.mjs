import { readdirSync, readFileSync } from 'node:fs';

/** proc(5): processes as Linux shows them. A process that is gone has no children, holds nothing, and does not live. */
export function childrenOf(pid) {
  const tasks = tryTo(() => readdirSync(`/proc/${pid}/task`)) ?? [];
  return tasks.flatMap((task) => {
    const list = tryTo(() => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8')) ?? '';
    return list.split(' ').filter(Boolean).map(Number);
  });
}

export function commandOf(pid) {
  return (tryTo(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')) ?? '').split('\0').join(' ');
}

export function heldBy(pid) {
  const status = tryTo(() => readFileSync(`/proc/${pid}/status`, 'utf8')) ?? '';
  return {
    memoryMib: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024,
    threads: Number(/^Threads:\s+(\d+)/m.exec(status)?.[1] ?? 0),
    handles: tryTo(() => readdirSync(`/proc/${pid}/fd`))?.length ?? 0,
  };
}

/** False where it is gone already. */
export function signal(pid, name) {
  return tryTo(() => process.kill(pid, name)) ?? false;
}

function tryTo(read) {
  try {
    return read();
  } catch {
    return undefined;
  }
}

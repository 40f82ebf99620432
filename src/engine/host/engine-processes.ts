import { readFileSync } from 'node:fs';

/** Processes of engines that are alive, by their ids: what they take is this server's, too. */
const alive = new Set<number>();

/** @returns to be called when it has ended */
export function countProcess(pid: number): () => void {
  alive.add(pid);
  return () => void alive.delete(pid);
}

/**
 * What they hold together, in bytes, without mapped files, which they share and the system can drop: some 30 µs each.
 * Linux; elsewhere it would take a process to find out, and nothing is counted.
 */
export function engineProcessBytes(): number {
  if (process.platform !== 'linux') return 0;
  let bytes = 0;
  for (const pid of alive) bytes += ownBytesOf(pid);
  return bytes;
}

/** proc_pid_status(5). It may have ended meanwhile. */
function ownBytesOf(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    let bytes = 0;
    for (const [, kibibytes] of status.matchAll(/^Rss(?:Anon|Shmem):\s+(\d+) kB$/gm))
      bytes += Number(kibibytes) * 1024;
    return bytes;
  } catch {
    return 0;
  }
}

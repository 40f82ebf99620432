import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { Clock, Timer } from '../../base/util/clock.ts';

export interface MemoryWatch {
  stop(): void;
}

const EVERY_MS = 50;
/** Each look starts a `ps` there. */
const EVERY_MS_WITHOUT_PROC = 500;

/**
 * Looks at the resident size of a process again and again, and calls `onExceeded` once when it is, or on Linux
 * ever was, above the limit. This catches what RLIMIT_DATA does not count (shared and mapped memory), and stands
 * alone where there is no such limit.
 */
export function watchMemory(options: {
  readonly pid: number;
  readonly limitBytes: number;
  readonly clock: Clock;
  readonly onExceeded: (peakBytes: number) => void;
}): MemoryWatch {
  const { pid, limitBytes, clock, onExceeded } = options;
  const everyMs = process.platform === 'linux' ? EVERY_MS : EVERY_MS_WITHOUT_PROC;
  let timer: Timer | undefined;
  let stopped = false;

  async function look(): Promise<void> {
    const peakBytes = await peakResidentBytes(pid);
    if (stopped) return;
    if (peakBytes !== undefined && peakBytes > limitBytes) {
      stopped = true;
      onExceeded(peakBytes);
    } else timer = clock.setTimer(look, everyMs);
  }

  timer = clock.setTimer(look, everyMs);
  return {
    stop() {
      stopped = true;
      timer?.cancel();
    },
  };
}

/**
 * The largest resident size that the process had so far (Linux), or the size now (other Unixes). Undefined where
 * it cannot be told: the process is gone, or the system is Windows.
 */
export async function peakResidentBytes(pid: number): Promise<number | undefined> {
  if (process.platform === 'win32') return undefined;
  const kibibytes = process.platform === 'linux' ? await fromProc(pid) : await fromPs(pid);
  return kibibytes === undefined ? undefined : kibibytes * 1024;
}

/** proc_pid_status(5): VmHWM is the peak of the resident set, so that what comes and goes between looks counts. */
async function fromProc(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
  const match = /^VmHWM:\s+(\d+) kB$/m.exec(status);
  return match === null ? undefined : Number(match[1]);
}

export function fromPs(pid: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    execFile('ps', ['-o', 'rss=', '-p', String(pid)], (error, stdout) => {
      const kibibytes = Number.parseInt(stdout, 10);
      resolve(error !== null || Number.isNaN(kibibytes) ? undefined : kibibytes);
    });
  });
}

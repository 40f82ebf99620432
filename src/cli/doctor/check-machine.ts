import { readFileSync } from 'node:fs';
import { access, constants, statfs } from 'node:fs/promises';
import { availableParallelism, freemem, tmpdir, totalmem } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type CgroupLimits, readCgroupLimits } from '../../base/util/cgroup.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/** What the package says it needs; `src/` and `dist/` lie equally deep. */
const OLDEST_NODE = [20, 19] as const;

export function checkNode(version: string = process.versions.node): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isNewEnough = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  const says = `Node.js ${version}, ${process.platform} on ${process.arch}`;
  if (isNewEnough) return ok('node', says);
  const mend = `install Node.js ${OLDEST_NODE.join('.')} or newer: https://nodejs.org`;
  return fail('node', 'UNSUPPORTED', says, mend);
}

export function checkCores(
  seen: number = availableParallelism(),
  { cores }: CgroupLimits = readCgroupLimits(),
): Finding {
  const count = (n: number) => (n === 1 ? '1 core' : `${n} cores`);
  if (cores === undefined) return ok('cores', `${count(seen)}, no limit by a control group`);
  const granted = Math.round(cores * 100) / 100;
  const says = `${count(seen)}, of which the control group grants the time of ${granted}`;
  if (cores >= seen) return ok('cores', says);
  const planned = Math.max(1, Math.floor(cores));
  if (cores >= 1) return ok('cores', `${says}; models are planned for ${count(planned)}`);
  const mend =
    'grant at least 1 core (Kubernetes: resources.limits.cpu): below it runs are held back in every period';
  return warn('cores', says, mend);
}

/** A process with ONNX Runtime takes about 90 MiB before any model. */
const LITTLE_MEMORY_BYTES = 256 * 2 ** 20;

export function checkMemory(
  machine = { totalBytes: totalmem(), freeBytes: freeBytes() },
  { memoryBytes }: CgroupLimits = readCgroupLimits(),
): Finding {
  const { totalBytes, freeBytes: free } = machine;
  const limited = memoryBytes !== undefined && memoryBytes < totalBytes;
  const usable = Math.min(free, memoryBytes ?? Number.POSITIVE_INFINITY);
  const says =
    `${size(totalBytes)}, ${size(free)} of it free` +
    (limited ? `, and the control group grants ${size(memoryBytes)}` : '');
  if (usable >= LITTLE_MEMORY_BYTES) return ok('memory', says);
  const mend = limited
    ? 'grant more (Kubernetes: resources.limits.memory); the process would be killed'
    : 'free some; an engine alone takes about 90 MiB';
  return warn('memory', says, mend);
}

/** `MemAvailable` counts what the kernel's caches would give back, which `freemem` of Node 20 does too on Linux. */
function freeBytes(): number {
  const text = readText('/proc/meminfo');
  const kib = /^MemAvailable:\s+(\d+) kB$/m.exec(text)?.[1];
  return kib === undefined ? freemem() : Number(kib) * 1024;
}

/** One for each connection, and some for the rest. */
const FEW_FILES = 4096;

export function checkFileDescriptors(limits: string = readText('/proc/self/limits')): Finding {
  const soft = /^Max open files\s+(\S+)/m.exec(limits)?.[1];
  if (soft === undefined) return ok('files', 'this system does not tell its limit of open files');
  const says = `${soft} open files at most`;
  if (soft === 'unlimited' || Number(soft) >= FEW_FILES) return ok('files', says);
  return warn(
    'files',
    `${says}, one of them for each connection`,
    'raise the limit: ulimit -n 65536 (systemd: LimitNOFILE=65536; docker: --ulimit nofile=65536)',
  );
}

/** Before this nothing of nimify existed. */
const FIRST_DAY_MS = Date.UTC(2025, 0, 1);
const SLEEP_MS = 30;

/** Deadlines go by the monotonic clock; logs, certificates and tokens by the wall clock. */
export async function checkClock(
  clocks = { monotonicMs: () => performance.now(), wallMs: () => Date.now() },
): Promise<Finding> {
  const [fromMs, wallMs] = [clocks.monotonicMs(), clocks.wallMs()];
  await new Promise((resolve) => setTimeout(resolve, SLEEP_MS));
  const passedMs = clocks.monotonicMs() - fromMs;
  if (!(passedMs > 0)) {
    const says = `the monotonic clock moved ${passedMs} ms in ${SLEEP_MS} ms`;
    return fail('clock', 'UNSUPPORTED', says, 'mend the clock of the machine: deadlines hang on it');
  }
  const told = new Date(wallMs).toISOString();
  if (wallMs >= FIRST_DAY_MS) return ok('clock', `${told}, and the monotonic clock moves`);
  return warn(
    'clock',
    `the wall clock shows ${told}`,
    'set it, best by NTP: logs and certificates hang on it',
  );
}

const WORKER_TIMEOUT_MS = 10_000;

export async function checkThreads(
  code = "require('node:worker_threads').parentPort.postMessage(1)",
): Promise<Finding> {
  const worker = new Worker(code, { eval: true, execArgv: [] });
  const answered = await new Promise<true | string>((resolve) => {
    const timer = setTimeout(() => resolve('it did not answer'), WORKER_TIMEOUT_MS);
    worker.once('message', () => resolve(true));
    worker.once('error', (error) => resolve(error.message));
    worker.once('exit', (exitCode) => {
      clearTimeout(timer);
      resolve(`it ended with ${exitCode}`);
    });
  });
  await worker.terminate();
  if (answered === true) return ok('threads', 'worker threads start');
  const mend =
    'serve with --engine-host inline, or raise the limit of threads (ulimit -u; docker: --pids-limit)';
  return fail('threads', 'UNSUPPORTED', `a worker thread does not start: ${answered}`, mend);
}

const LITTLE_DISK_BYTES = 64 * 2 ** 20;

export async function checkDisk(folder: string = tmpdir()): Promise<Finding> {
  const mend = 'free some, or name another folder in TMPDIR';
  try {
    await access(folder, constants.W_OK);
    const { bavail, bsize } = await statfs(folder);
    const says = `${size(bavail * bsize)} free in ${folder}`;
    return bavail * bsize >= LITTLE_DISK_BYTES ? ok('disk', says) : warn('disk', says, mend);
  } catch {
    return warn('disk', `${folder} cannot be written`, 'name a folder that can be, in TMPDIR');
  }
}

function size(bytes: number): string {
  return bytes < 2 ** 30 ? `${Math.round(bytes / 2 ** 20)} MiB` : `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

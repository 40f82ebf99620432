import { spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { ROOT } from '../../harness/places.mjs';

/** What is around the server: its disk and its clock. */
/** Mounts that nobody else sees; without root in a name space of its own, where the system allows that. */
const APART = ['--mount', ...(process.getuid() === 0 ? [] : ['--map-root-user'])];

export const DISK_FULL = {
  name: 'disk-full',
  what: 'the disk with its log, its cache and its working folder is full',
  about:
    'A file system in memory of 8 MiB. A model is loaded anew meanwhile, whose process writes there, too.',
  bars: ['single'],
  needs: () =>
    spawnSync('unshare', [...APART, 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0
      ? undefined
      : 'file systems cannot be mounted here (unshare --mount)',
  ...{ signs: ['disk-full'], mends: ['disk-recovered'] },
  seconds: { full: 5, short: 2 },
  env: (folder) => ({ XDG_CACHE_HOME: `${folder}/disk/cache` }),
  /** A disk of its own, on which everything is that the server writes. */
  wrap: (disk) => [
    ...['unshare', ...APART, 'sh', '-c'],
    'mount -t tmpfs -o size=8m tmpfs "$0" && cd "$0" && exec "$@" 2>"$0"/log',
    disk,
  ],
  async inject({ server, sleep, seconds, count }) {
    const filler = `/proc/${server.pid}/root${server.disk}/filler`;
    fill(filler);
    count(
      'reloaded',
      await server.changeModels((models) => [{ ...models[0], timeoutMs: 31_000 }, ...models.slice(1)]),
    );
    await sleep(seconds * 1000);
    fill(filler);
    rmSync(filler);
    count('reloaded', await server.changeModels((models) => models));
  },
};

export const CLOCK_JUMP = {
  name: 'clock-jump',
  what: 'the wall clock jumps an hour ahead, and two back',
  about: 'Date says so in every process with JavaScript; the monotonic clock goes on.',
  bars: ['single'],
  seconds: { full: 4, short: 2 },
  env: (folder) => ({
    NODE_OPTIONS: `--require ${ROOT}/bench/chaos/jumping-clock.cjs`,
    CHAOS_CLOCK_FILE: `${folder}/clock`,
  }),
  async inject({ server, sleep, seconds }) {
    const file = `${server.folder}/clock`;
    for (const hours of [1, -1]) {
      writeFileSync(file, String(hours * 3_600_000));
      await sleep((seconds * 1000) / 2);
    }
    writeFileSync(file, '0');
  },
};

/** Until nothing more goes onto the disk. */
function fill(path) {
  const file = openSync(path, 'a');
  try {
    for (const size of [1 << 16, 1]) {
      const bytes = Buffer.alloc(size);
      for (let written = size; written === size; ) written = tryToWrite(file, bytes);
    }
  } finally {
    closeSync(file);
  }
}

function tryToWrite(file, bytes) {
  try {
    return writeSync(file, bytes);
  } catch {
    return 0;
  }
}

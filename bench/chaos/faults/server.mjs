import { spawnSync } from 'node:child_process';
import { signal } from '../processes.mjs';

/** The server's own process: that ends, runs out of something, or stands still. */
export const ABORT_SERVER = {
  name: 'abort-server',
  what: 'the server aborts, as by a fault in native code (SIGABRT)',
  bars: ['server-died'],
  endsServer: true,
  ...{ signs: ['server-restarted'], mends: ['server-restarted'] },
  async inject({ server }) {
    signal(server.server(), 'SIGABRT');
  },
};

export const KILL_SERVER = {
  name: 'kill-server',
  what: 'the system takes the memory of the server away (SIGKILL)',
  bars: ['server-died'],
  endsServer: true,
  ...{ signs: ['server-restarted'], mends: ['server-restarted'] },
  async inject({ server }) {
    signal(server.server(), 'SIGKILL');
  },
};

export const MEMORY_OUT = {
  name: 'memory-out',
  what: 'the server gets no more memory from the system (RLIMIT_DATA)',
  about:
    'The limit is set below what it holds. It dies as soon as it wants more, or goes on with what it has.',
  bars: ['server-died'],
  endsServer: true,
  needs: () => toolMissing('prlimit'),
  ...{ signs: ['server-restarted'], mends: ['server-restarted'] },
  seconds: { full: 4, short: 2 },
  async inject({ server, sleep, seconds }) {
    const pid = server.server();
    limit(pid, `--data=${1 << 20}:`);
    await sleep(seconds * 1000);
    // Where it is alive all the same.
    limit(pid, '--data=unlimited:');
  },
};

export const NO_DESCRIPTORS = {
  name: 'no-descriptors',
  what: 'no file descriptor is left: 300 clients connect to a server that may have 160 (`ulimit -n`)',
  bars: ['single'],
  wrap: () => ['sh', '-c', 'ulimit -n 160 && exec "$@"', 'sh'],
  seconds: { full: 5, short: 2 },
  async inject({ sleep, seconds, crowd }) {
    const leave = crowd(300);
    await sleep(seconds * 1000);
    leave();
  },
};

export const STALL = {
  name: 'stall',
  what: 'the event loop stands still for a second (SIGSTOP of the server)',
  bars: ['single'],
  seconds: { full: 1, short: 1 },
  async inject({ server, sleep }) {
    const pid = server.server();
    signal(pid, 'SIGSTOP');
    await sleep(1000);
    signal(pid, 'SIGCONT');
  },
};

export function toolMissing(tool) {
  return spawnSync(tool, ['--version']).error === undefined ? undefined : `${tool} is not installed`;
}

/** A soft limit of a process that runs. */
function limit(pid, what) {
  spawnSync('prlimit', ['--pid', String(pid), what]);
}

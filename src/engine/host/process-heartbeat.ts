import { readFile } from 'node:fs/promises';
import type { Clock, Timer } from '../../base/util/clock.ts';

export interface HeartbeatOptions {
  readonly pid: number;
  readonly clock: Clock;
  /** Runs that it has been asked for and has not answered. */
  readonly runCount: () => number;
  readonly ping: () => void;
  /** Called once: it gives no sign of life, and must be ended. */
  readonly onStuck: (how: string) => void;
  /** A run takes processor time from its start to its end: one that takes none for some seconds is stuck. */
  readonly isBusyInRuns: boolean;
  /** Resident size at which it is to be replaced. Default: any is well. */
  readonly recycleBytes: number | undefined;
  /** Called at each look that finds it above that. */
  readonly onOversize: (residentBytes: number) => void;
}

export interface Heartbeat {
  /** It has answered a ping. */
  pong(): void;
  stop(): void;
}

const BEAT_MS = 1000;
/** A child with nothing to run is pinged this often. */
const BEATS_PER_PING = 10;
/** Pings without an answer after which an idle child is taken for stuck. */
const PINGS_UNTIL_STUCK = 3;
/** Looks in a row at which it was found stopped: a debugger, or somebody who takes a snapshot, needs a moment. */
const BEATS_STOPPED = 2;
/** Looks in a row at which a run had taken no processor time since the one before. */
const BEATS_WITHOUT_TIME = 5;

/**
 * Looks every second whether a child lives. One that has nothing to run is pinged. One that runs may be deaf until it is
 * done, so the system is asked (Linux): is it stopped, does it get on?
 */
export function startHeartbeat(options: HeartbeatOptions): Heartbeat {
  const { pid, clock, runCount, ping, onStuck, isBusyInRuns, recycleBytes, onOversize } = options;
  let idleBeats = 0;
  let unanswered = 0;
  let stopped = 0;
  let withoutTime = 0;
  let lastTicks: number | undefined;
  let hasEnded = false;
  let timer: Timer | undefined;

  function beat(): void {
    timer = clock.setTimer(beat, BEAT_MS);
    const isIdle = runCount() === 0;
    if (isIdle) onIdle();
    else {
      idleBeats = 0;
      unanswered = 0;
    }
    if (process.platform === 'linux' && (!isIdle || recycleBytes !== undefined)) void look(isIdle);
  }

  function onIdle(): void {
    stopped = 0;
    withoutTime = 0;
    lastTicks = undefined;
    idleBeats += 1;
    if (idleBeats % BEATS_PER_PING > 0) return;
    if (unanswered === PINGS_UNTIL_STUCK) {
      end('it had nothing to run and answered no ping');
      return;
    }
    unanswered += 1;
    ping();
  }

  async function look(isIdle: boolean): Promise<void> {
    const state = await readProcess(pid);
    if (hasEnded || state === undefined) return;
    if (recycleBytes !== undefined && state.residentBytes > recycleBytes) onOversize(state.residentBytes);
    if (isIdle || runCount() === 0) return;
    stopped = state.isStopped ? stopped + 1 : 0;
    withoutTime = isBusyInRuns && state.cpuTicks === lastTicks ? withoutTime + 1 : 0;
    lastTicks = state.cpuTicks;
    if (stopped >= BEATS_STOPPED) end('it was stopped in the middle of a run');
    else if (withoutTime >= BEATS_WITHOUT_TIME) end('its run took no processor time any more');
  }

  function end(how: string): void {
    stop();
    onStuck(how);
  }

  function stop(): void {
    hasEnded = true;
    timer?.cancel();
  }

  timer = clock.setTimer(beat, BEAT_MS);
  return {
    pong() {
      unanswered = 0;
    },
    stop,
  };
}

interface ProcessState {
  readonly isStopped: boolean;
  /** Processor time of all its threads. */
  readonly cpuTicks: number;
  readonly residentBytes: number;
}

const PAGE_BYTES = 4096;

/** proc_pid_stat(5). Undefined: it is gone. */
async function readProcess(pid: number): Promise<ProcessState | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => undefined);
  if (stat === undefined) return undefined;
  // After the name, which may hold anything: the state is the first of these, utime and stime the 12th and 13th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    isStopped: fields[0] === 'T',
    cpuTicks: Number(fields[11]) + Number(fields[12]),
    residentBytes: Number(fields[21]) * PAGE_BYTES,
  };
}

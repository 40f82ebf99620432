import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const TICK_US = 1e6 / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/**
 * Processes of a group: a server that was started as the leader of one, and what it started, in whichever group that
 * has put itself.
 */
function processesOf(group) {
  const found = new Map();
  const others = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const fields = fieldsOf(`/proc/${name}/stat`);
    if (fields === undefined) continue;
    const one = { pid: Number(name), fields };
    if (Number(fields[2]) === group) found.set(one.pid, one);
    else others.push(one);
  }
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const one of others) if (found.has(Number(one.fields[1]))) found.set(one.pid, one);
  }
  return [...found.values()];
}

/** Sends all of them a signal; those that have ended get none. */
export function signalAll(group, signal) {
  for (const { pid } of processesOf(group)) {
    try {
      process.kill(pid, signal);
    } catch {
      // Ended meanwhile.
    }
  }
}

/** CPU time that the group's living processes have used, user and kernel, in microseconds (proc(5): fields 14, 15). */
export function cpuUsOf(group) {
  let ticks = 0;
  for (const { fields } of processesOf(group)) ticks += Number(fields[11]) + Number(fields[12]);
  return ticks * TICK_US;
}

/** CPU time of the main thread of the group's leader alone, in microseconds. */
export function mainThreadCpuUsOf(group) {
  const fields = fieldsOf(`/proc/${group}/task/${group}/stat`);
  return fields === undefined ? 0 : (Number(fields[11]) + Number(fields[12])) * TICK_US;
}

/** Proportional set size: resident memory, shared pages divided among those who share them. */
export function pssBytesOf(group) {
  let kilobytes = 0;
  for (const { pid } of processesOf(group)) {
    kilobytes += Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`) ?? '')?.[1] ?? 0);
  }
  return kilobytes * 1024;
}

/** Resident set size, which tells less where processes share memory and costs less to read. */
export function rssBytesOf(group) {
  let kilobytes = 0;
  for (const { pid } of processesOf(group)) {
    kilobytes += Number(/^VmRSS:\s+(\d+)/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1] ?? 0);
  }
  return kilobytes * 1024;
}

/** Time that a core has not been idle, by anyone, in microseconds. */
export function busyUsOf(core) {
  const line = new RegExp(`^cpu${core} (.*)$`, 'm').exec(read('/proc/stat') ?? '')?.[1] ?? '';
  const [user, nice, system, , , irq, softirq, steal] = line.split(' ').map(Number);
  return (user + nice + system + irq + softirq + steal) * TICK_US;
}

/** From the third field on: the second is the name in parentheses, and may hold anything. */
function fieldsOf(path) {
  const stat = read(path);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Ended meanwhile.
    return undefined;
  }
}

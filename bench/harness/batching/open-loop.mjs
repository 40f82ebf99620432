/**
 * The open-loop client, a process of its own: sends each request at the time that was fixed for it, whether or not
 * earlier ones have been answered, and counts its latency from that time, so that a server that stalls is not spared
 * the requests that would have come meanwhile ("coordinated omission").
 *
 *   node open-loop.mjs job.json     prints a result in JSON
 *
 * Between requests that are near it turns its event loop instead of sleeping, since a timer of Node is no more exact
 * than a millisecond; how much of its core's time was work and not waiting is in `loadShare`.
 */
import { readFileSync } from 'node:fs';
import { scheduleOf } from './arrivals.mjs';
import { createConnections } from './connections.mjs';
import { summarizeOpenLoop, UNANSWERED } from './open-loop-summary.mjs';

const WARM_CONNECTIONS = 32;
/** Timers are this much too late at most. */
const TIMER_SLACK_MS = 2;
/** A longer one is another process having the core, which is not CPU time of this one. */
const LONGEST_EMPTY_TURN_MS = 0.05;

const job = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const schedule = scheduleOf(job);
const count = schedule.length;
const status = new Int16Array(count).fill(UNANSWERED);
const latencyMs = new Float64Array(count);
const lateMs = new Float64Array(count);
let settled = 0;
let next = 0;
let hasWorked = false;
let start = 0;
let emptyTurnsMs = 0;
let lastTurn = 0;
let longestWaiting = 0;

const connections = createConnections({
  port: job.port,
  request: readFileSync(job.request),
  most: job.mostConnections,
  onSettled(number, code) {
    hasWorked = true;
    status[number] = code;
    latencyMs[number] = performance.now() - start - schedule[number];
    settled += 1;
  },
});
await connections.warm(Math.min(WARM_CONNECTIONS, job.mostConnections));
// What the schedule and the connections left behind is not to be collected in the middle.
globalThis.gc?.();
const cpuBefore = process.cpuUsage();
start = performance.now();
const endMs = start + schedule[count - 1] + job.drainMs;
await new Promise((resolve) => {
  function turn() {
    const now = performance.now();
    if (!hasWorked && lastTurn > 0) emptyTurnsMs += Math.min(now - lastTurn, LONGEST_EMPTY_TURN_MS);
    hasWorked = false;
    while (next < count && start + schedule[next] <= now) {
      hasWorked = true;
      lateMs[next] = now - start - schedule[next];
      connections.send(next);
      next += 1;
    }
    if (connections.waiting > longestWaiting) longestWaiting = connections.waiting;
    if (next === count && (settled === count || now >= endMs)) {
      resolve();
      return;
    }
    const dueInMs = next === count ? 2 * TIMER_SLACK_MS : start + schedule[next] - now;
    lastTurn = 0;
    if (dueInMs >= 2 * TIMER_SLACK_MS) {
      setTimeout(turn, Math.floor(dueInMs - TIMER_SLACK_MS));
      return;
    }
    lastTurn = now;
    setImmediate(turn);
  }
  turn();
});
const elapsedMs = performance.now() - start;
const { user, system } = process.cpuUsage(cpuBefore);
const opened = connections.open;
connections.close();
process.stdout.write(
  `${JSON.stringify({
    ...summarizeOpenLoop({ schedule, status, latencyMs, lateMs }, job),
    loadShare: Math.max(0, (user + system) / 1000 - emptyTurnsMs) / elapsedMs,
    ...{ opened, longestWaiting },
  })}\n`,
);

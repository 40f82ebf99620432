/**
 * A closed-loop client, a process of its own: so many connections with a request in flight on each. It tells what wrk does,
 * but from the last answer of its ramp to its last answer: where answers come in batches, what is cut at the ends of a run
 * is as much as a bar is fine.
 *
 *   node closed-loop.mjs job.json     prints a result in JSON
 */
import { readFileSync } from 'node:fs';
import { createConnections } from '../batching/connections.mjs';
import { summarizeClosedLoop } from './closed-loop-summary.mjs';

const {
  port,
  connections: count,
  rampSeconds,
  seconds,
  request,
} = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const answers = [];
const sentMs = [];
let endMs = Number.POSITIVE_INFINITY;
let finish;
const isOver = new Promise((resolve) => {
  finish = resolve;
});

const connections = createConnections({
  port,
  request: readFileSync(request),
  most: count,
  onSettled(number, status) {
    const nowMs = performance.now();
    answers.push({ status, atMs: nowMs, latencyMs: nowMs - sentMs[number] });
    if (nowMs < endMs) send();
  },
});
await connections.warm(count);
const cpuBefore = process.cpuUsage();
const startMs = performance.now();
endMs = startMs + (rampSeconds + seconds) * 1000;
for (let connection = 0; connection < count; connection += 1) send();
setTimeout(finish, (rampSeconds + seconds) * 1000);
await isOver;
const activeMs = performance.now() - startMs;
const { user, system } = process.cpuUsage(cpuBefore);
connections.close();
process.stdout.write(
  JSON.stringify({
    ...summarizeClosedLoop(answers, { rampEndMs: startMs + rampSeconds * 1000 }),
    ...{ activeUs: activeMs * 1000, loadShare: (user + system) / 1000 / activeMs },
  }),
);

function send() {
  sentMs.push(performance.now());
  connections.send(sentMs.length - 1);
}

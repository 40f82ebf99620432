import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { startFaultProxy } from '../../test/faults/fault-proxy.mjs';
import { createRandom } from '../harness/batching/arrivals.mjs';
import { encodeHttp } from '../soak/http-messages.mjs';
import { createClient } from './client.mjs';
import { startLoad } from './load.mjs';
import { FAILING, requestOf, SINES, SUMS } from './models.mjs';
import { commandOf } from './processes.mjs';
import { rowOf } from './row.mjs';
import { startServed } from './served.mjs';

/** What is served and asked for where a fault says nothing else: models by their instances. */
const MODELS = { sums: 2, sines: 2 };
const SHARES = { sums: 0.85, sines: 0.15, failing: 1 };
const RATE_PER_SECOND = 150;
/** Longer than a fault that a client has to sit out may take; far longer than an answer takes. */
export const DEADLINE_MS = 2000;
const WARM_CONNECTIONS = 16;
const LOOK_EVERY_MS = 5;
/** Numbers of requests beside the load's. */
const OTHER_NUMBERS = 800_000;
const SECONDS = {
  full: { before: 3, after: 14 },
  short: { before: 1, after: 2.5 },
};

/** One fault, once: a server of its own, a load from before to after it, and what became of the requests. */
export async function measureFault(fault, { policies, form, seed, folder, cache }) {
  const models = fault.models ?? MODELS;
  fault.prepare?.(folder);
  const server = await startServed({
    ...{ policies, folder, cache, wrap: fault.wrap },
    models: Object.entries(models).map(([name, instances]) => ({
      ...[SUMS, SINES, FAILING].find((one) => one.name === name),
      engine: { instances, ...(name === FAILING.name ? {} : { host: 'process', intraOpThreads: 1 }) },
    })),
    env: fault.env?.(folder),
  });
  const surplus = [];
  const onSurplus = (says) => surplus.push(says);
  const proxy = fault.isProxied ? await startFaultProxy({ targetPort: server.port, seed }) : undefined;
  const ways = [
    { client: createClient({ port: server.port, onSurplus }), group: 'direct', share: 1 },
    ...(proxy ? [{ client: createClient({ port: proxy.port, onSurplus }), group: 'proxied', share: 1 }] : []),
  ];
  const extras = {};
  try {
    for (const { client } of ways) await client.warm(WARM_CONNECTIONS);
    const lasts = fault.seconds?.[form] ?? 0;
    const { before, after } = SECONDS[form];
    const load = startLoad({
      clients: ways,
      mix: Object.keys(models).map((name) => [name, SHARES[name]]),
      ratePerSecond: fault.load?.ratePerSecond ?? RATE_PER_SECOND,
      seconds: before + lasts + after,
      ...{ seed, deadlineMs: DEADLINE_MS },
    });
    await sleep(before * 1000);
    const countersBefore = await countersOf(server);
    const begins = { ms: performance.now(), wallMs: Date.now() };
    const death = fault.endsServer ? watchDeath(server) : undefined;
    await fault.inject({
      ...{ server, proxy, port: server.port, seconds: lasts, sleep },
      random: createRandom(seed),
      crowd: (count) => crowd(server.port, count),
      bytesOf: createBytesOf(seed),
      count: (name, more) => {
        extras[name] = (extras[name] ?? 0) + more;
      },
    });
    const endsMs = performance.now();
    await load.done;
    death?.stop();
    return rowOf({
      ...{ fault, policies, begins, endsMs, startMs: load.startMs, extras, diedMs: death?.atMs() },
      records: load.records,
      surplus: surplus.length,
      events: await server.events(),
      counters: addCounters(fault.endsServer ? countersBefore : {}, await countersOf(server)),
      calls: fault.calls?.(folder),
      isAlive: server.isRunning() && server.server() !== undefined,
    });
  } finally {
    for (const { client } of ways) client.close();
    await proxy?.stop();
    await server.stop();
  }
}

/** When the process ended that serves now: the connections until then were its own. */
function watchDeath(server) {
  const pid = server.server();
  let diedMs;
  const timer = setInterval(() => {
    if (diedMs === undefined && commandOf(pid) === '') diedMs = performance.now();
  }, LOOK_EVERY_MS);
  return { atMs: () => diedMs, stop: () => clearInterval(timer) };
}

async function countersOf(server) {
  const [retries, hedges] = await Promise.all(
    ['nimify_retries_total', 'nimify_hedges_total'].map((name) => server.metric(name)),
  );
  return { retries, hedges };
}

/** A server that ended took its counts along. */
function addCounters(before, after) {
  return Object.fromEntries(
    Object.entries(after).map(([name, value]) => [name, (value || 0) + (before[name] || 0)]),
  );
}

/** Clients that connect and say nothing; @returns a function by which they leave */
function crowd(port, count) {
  const sockets = Array.from({ length: count }, () => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('error', () => {});
    socket.resume();
    return socket;
  });
  return () => {
    for (const socket of sockets) socket.destroy();
  };
}

function createBytesOf(seed) {
  const random = createRandom(seed + 1);
  let number = OTHER_NUMBERS;
  return (model) =>
    encodeHttp(
      requestOf({ number: number++, model, isBinary: random() < 0.5, deadlineMs: DEADLINE_MS, random }),
    );
}

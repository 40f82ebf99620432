import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { differenceOf } from './answers.mjs';
import { freePort } from './free-port.mjs';
import { h2loadOf } from './h2load.mjs';
import { closedLoopOf } from './limits/run-closed-loop.mjs';
import { runLoad, writeLoadScript } from './load.mjs';
import { busyUsOf, cpuUsOf, pssBytesOf } from './process-cost.mjs';
import { startServer } from './server-process.mjs';

const run = promisify(execFile);

/** A run lasts as long as this many requests one after another on each connection, within bounds. */
const ROUND_TRIPS = 2.5;
const LONGEST_SECONDS = 6;
/** Connections are left out that would make a request wait longer than this for the others before it. */
const LONGEST_WAIT_SECONDS = 3.5;

/**
 * Runs a second of the bare engine, on the servers' core; with so many rows a run, and threads.
 * @returns rows per second, microseconds a run, and what a row takes of the CPU
 */
export async function runRaw(model, { root, serverCore, seconds = 1, bare: { rows = 1, threads = 1 } = {} }) {
  const script = `${root}/bench/peers/raw-session.mjs`;
  const given = { MODEL: model.path, SECONDS: seconds, ROWS: rows, THREADS: threads };
  const env = { ...process.env, ...given };
  const { stdout } = await run('taskset', ['-c', serverCore, process.execPath, script], { env });
  return JSON.parse(stdout);
}

/** All servers that are up for one model: one is awake, the others are stopped. */
export async function startAll(servers, model, options) {
  const up = [];
  const failed = [];
  for (const server of servers) {
    const port = await freePort();
    const [encoding] = server.encodings;
    const probe = { port, ...server.request(model, encoding) };
    try {
      const process = await startServer(await server.start(model, port, options), {
        core: options.serverCore,
        probe,
      });
      await process.settle();
      process.pause();
      up.push({ ...server, port, process, answerBytes: {} });
    } catch (error) {
      failed.push({ server: server.name, model: model.name, reason: String(error.message ?? error) });
    }
  }
  return { up, failed };
}

/**
 * One run of one server: latency and throughput by the load, cost by the kernel's books.
 * @param settleMs how long to wait at most, before the end, until the server has no work left
 */
export async function measureRun(server, runLoadOf, how) {
  const { connections, seconds, serverCore, loadCore, settleMs } = how;
  const { process, port } = server;
  process.resume();
  try {
    await process.settle();
    const cpuBefore = cpuUsOf(process.group);
    const busyBefore = busyUsOf(serverCore);
    const from = performance.now();
    const load = await runLoadOf({ port, connections, seconds, core: loadCore });
    const elapsedUs = (performance.now() - from) * 1000;
    const cpuUs = cpuUsOf(process.group) - cpuBefore;
    const foreignUs = busyUsOf(serverCore) - busyBefore - cpuUs;
    const pssBytes = pssBytesOf(process.group);
    await process.settle(settleMs);
    return {
      ...load,
      cpuUsPerRequest: cpuUsPerRequest(load, cpuUs),
      /** Of the server's core, by other processes: shows a machine that was not quiet. */
      foreignShare: Math.max(0, foreignUs / elapsedUs),
      pssBytes,
    };
  } finally {
    process.pause();
  }
}

/** Null where nothing was answered. A load with a ramp tells how long it was at work: its requests are not all. */
function cpuUsPerRequest({ requests, perSecond, activeUs }, cpuUs) {
  if (requests === 0) return null;
  return activeUs === undefined ? cpuUs / requests : ((cpuUs / activeUs) * 1e6) / perSecond;
}

/** Refuses to measure a server that answers something else than the first one does. */
export async function checkAnswers(up, model, encoding, ask) {
  let expected;
  const asked = up.filter(({ encodings, answersNothing }) => encodings.includes(encoding) && !answersNothing);
  for (const server of asked) {
    const { read, ...request } = server.request(model, encoding);
    server.process.resume();
    const { status, headers, body } = await ask({ port: server.port, ...request });
    server.process.pause();
    const elements = status === 200 ? read(body, headers, expected?.length) : undefined;
    const difference =
      elements === undefined ? `status ${status}` : differenceOf(expected ?? elements, elements);
    server.answerBytes[encoding] = body.length;
    if (difference !== undefined) {
      throw new Error(`${server.name} answers ${model.name} over ${encoding} otherwise: ${difference}`);
    }
    expected ??= elements;
  }
}

/**
 * The scenarios of one model: encodings and connections, each with how long its runs take.
 * @param rowUs what the engine takes for a request
 */
export function scenariosOf(model, rowUs, options) {
  const {
    encodings,
    concurrencies,
    seconds,
    quick,
    longestSeconds = LONGEST_SECONDS,
    roundTrips = ROUND_TRIPS,
  } = options;
  const scenarios = [];
  const leftOut = [];
  for (const encoding of encodings) {
    for (const connections of concurrencies) {
      const waitSeconds = (connections * rowUs) / 1e6;
      if (waitSeconds > Math.max(LONGEST_WAIT_SECONDS, longestSeconds / roundTrips)) {
        leftOut.push({ model: model.name, encoding, connections, waitSeconds });
        continue;
      }
      const wanted = quick ? seconds : Math.max(seconds, roundTrips * waitSeconds);
      scenarios.push({ encoding, connections, seconds: Math.ceil(Math.min(longestSeconds, wanted)) });
    }
  }
  return { scenarios, leftOut };
}

/** What keeps a server busy: `({ port, connections, seconds, core }) => result`. */
export function loadFor(server, model, encoding, cache) {
  const request = server.request(model, encoding);
  const file = `${cache}/${server.name}-${model.name}-${encoding}`;
  if (request.tool === 'closed-loop') return closedLoopOf(file, request);
  if (request.tool === 'h2load') return h2loadOf(file, request, server.answerBytes?.[encoding]);
  const script = writeLoadScript(`${file}.lua`, request);
  return (how) => runLoad(script, how);
}

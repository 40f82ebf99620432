/**
 * What several processes on one port are worth: requests a second and CPU time a request of the smallest model, and the
 * memory of each process at rest. Servers and load share all cores, so that N processes gain what is left of them.
 *
 *   node bench/processes.mjs [--processes 1,2] [--connections 64] [--seconds 3] [--rounds 5]
 */

import { mkdirSync } from 'node:fs';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { freePort } from './harness/free-port.mjs';
import { runLoad, writeLoadScript } from './harness/load.mjs';
import { findModels } from './harness/models.mjs';
import { CACHE, places, ROOT } from './harness/places.mjs';
import { cpuUsOf, pssBytesOf } from './harness/process-cost.mjs';
import { startServer } from './harness/server-process.mjs';
import { nimifyArgs, serversFor } from './harness/servers.mjs';
import { summarize } from './harness/statistics.mjs';

const { values } = parseArgs({
  options: {
    processes: { type: 'string', default: '1,2' },
    connections: { type: 'string', default: '64' },
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '5' },
  },
});
const counts = values.processes.split(',').map(Number);
const connections = Number(values.connections);
const seconds = Number(values.seconds);
const core = `0-${cpus().length - 1}`;
/** Until all processes of a server have loaded their models. */
const SETTLING_MS = 3000;
const WARM_UP_SECONDS = 4;
const ENCODINGS = ['json', 'binary'];

const [model] = findModels(['own_iris_rf'], places());
const { request } = serversFor({ root: ROOT, cache: CACHE }).find(({ name }) => name === 'nimify');
mkdirSync(CACHE, { recursive: true });

/** All are started once, and only the one that is measured runs: V8 has seen enough of each by then. */
const servers = [];
for (const processes of counts) {
  const port = await freePort();
  const args = nimifyArgs({ root: ROOT, path: model.path, httpPort: port, grpcPort: 0 });
  const command = { command: process.execPath, args: [...args, '--processes', String(processes)] };
  const server = await startServer(command, { core, probe: { port, ...request(model, 'json') } });
  await sleep(SETTLING_MS);
  const pssBytes = pssBytesOf(server.group);
  for (const encoding of ENCODINGS) await load(port, encoding, WARM_UP_SECONDS);
  server.pause();
  servers.push({ ...server, processes, port, pssBytes });
}

const results = [];
for (let round = 0; round < Number(values.rounds); round += 1) {
  for (const { processes, port, pssBytes, ...server } of servers) {
    server.resume();
    for (const encoding of ENCODINGS) {
      const before = cpuUsOf(server.group);
      const { requests, durationUs, p99Us, failed } = await load(port, encoding, seconds);
      const cpuUs = (cpuUsOf(server.group) - before) / requests;
      const perSecond = requests / (durationUs / 1e6);
      results.push({ processes, encoding, perSecond, p99Us, cpuUs, pssBytes, failed });
    }
    server.pause();
  }
}
for (const server of servers) await server.stop();

function load(port, encoding, forSeconds) {
  const script = writeLoadScript(`${CACHE}/processes-${encoding}.lua`, request(model, encoding));
  return runLoad(script, { port, connections, seconds: forSeconds, core });
}

console.log('| processes | body | requests/s | CPU µs a request | p99 µs | idle PSS MB, all | failed |');
console.log('| --- | --- | --- | --- | --- | --- | --- |');
for (const processes of counts) {
  for (const encoding of ENCODINGS) {
    const runs = results.filter((run) => run.processes === processes && run.encoding === encoding);
    const cell = (name, unit = 1) => {
      const { median, min, max } = summarize(runs.map((run) => run[name] / unit));
      return `${Math.round(median)} (${Math.round(min)} to ${Math.round(max)})`;
    };
    const failed = runs.reduce((sum, run) => sum + run.failed, 0);
    const cells = [cell('perSecond'), cell('cpuUs'), cell('p99Us'), cell('pssBytes', 1e6), failed];
    console.log(`| ${processes} | ${encoding} | ${cells.join(' | ')} |`);
  }
}

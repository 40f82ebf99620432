import { freePort } from '../free-port.mjs';
import { loadFor } from '../measure.mjs';
import { rssBytesOf } from '../process-cost.mjs';
import { startServer } from '../server-process.mjs';
import { hostOf, named } from './servers.mjs';

const ENCODINGS = ['binary', 'json'];
const CONNECTIONS = 64;
const SECONDS_A_TURN = 5;
const EVERY_MS = 1000;

/** One server until it has answered `options.requests`, JSON and binary in turn; resident memory each second. */
export async function measureFlat(_part, { servers, models, options, say }) {
  const nimify = named(servers, 'nimify');
  const [model] = models;
  const port = await freePort();
  const probe = { port, ...nimify.request(model, 'binary') };
  const process = await startServer(await nimify.start(model, port), { core: options.serverCore, probe });
  const flat = { host: await hostOf(port), requests: 0, unanswered: 0, samples: [] };
  const from = performance.now();
  const look = () => {
    const seconds = Math.round((performance.now() - from) / 1000);
    flat.samples.push({ seconds, requests: flat.requests, rssBytes: rssBytesOf(process.group) });
  };
  const timer = setInterval(look, EVERY_MS);
  try {
    const loads = ENCODINGS.map((encoding) => loadFor(nimify, model, encoding, options.cache));
    for (let turn = 0; flat.requests < options.requests; turn += 1) {
      const how = { port, connections: CONNECTIONS, seconds: SECONDS_A_TURN, core: options.loadCore };
      const { requests, failed } = await loads[turn % loads.length](how);
      if (requests === 0) throw new Error(`nimify answers no more after ${flat.requests} requests`);
      flat.requests += requests - failed;
      flat.unanswered += failed;
      if (turn % 6 === 5) say(`  ${flat.requests} requests, ${mebibytes(flat.samples.at(-1).rssBytes)} MiB`);
    }
  } finally {
    clearInterval(timer);
    await process.stop();
  }
  return { flat };
}

function mebibytes(bytes) {
  return Math.round(bytes / 2 ** 20);
}

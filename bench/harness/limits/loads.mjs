import { runRaw } from '../measure.mjs';
import { measureModel } from '../measure-model.mjs';
import { hostOf, named } from './servers.mjs';

/** Requests in flight at which bars are read, where a part names none. */
const IN_FLIGHT = 64;
/** What the bare engine is tried with. */
const ROWS = [1, 2, 4, 8, 16, 32];
const MORE_THREADS = [2];
/** Runs of large models: long enough for some requests of each connection. */
const LONGEST_SECONDS = 10;
const ROUND_TRIPS = 6;
/** Before anything is measured: until then Node still compiles, which differences of microseconds would show. */
const WARM_REQUESTS = 20_000;

/** Requests in flight on each server in turn. `bare`: rows and threads of the engine, measured in each round. */
export async function measureLoads(part, { servers, models, options, say }, bare) {
  const measured = { models: [], runs: [], raw: [], leftOut: [], failed: [], hosts: [] };
  const { encodings, concurrencies = [IN_FLIGHT] } = part;
  const how = {
    ...options,
    encodings,
    concurrencies,
    seconds: options.quick ? options.seconds : Math.max(options.seconds, part.seconds ?? 0),
    longestSeconds: LONGEST_SECONDS,
    roundTrips: ROUND_TRIPS,
    warmRequests: WARM_REQUESTS,
  };
  for (const model of models) {
    await measureModel(
      model,
      part.servers.map((name) => withTool(named(servers, name), part.tool)),
      {
        options: { ...how, ...(bare === undefined ? {} : { bare: bare[model.name] }) },
        suite: { rawAt: bare === undefined ? undefined : IN_FLIGHT },
        results: measured,
        say,
        onUp: async (up) => measured.hosts.push(...(await hostsOf(up, model))),
      },
    );
  }
  // The same model may be in several parts.
  for (const one of [...measured.runs, ...measured.raw]) one.part = part.name;
  return measured;
}

/** The same beside the bare engine at its best, which is searched first. */
export async function measureCompute(part, context) {
  const best = {};
  const tried = [];
  for (const model of context.models) {
    const all = await tryBare(model, context);
    tried.push(...all);
    best[model.name] = fastest(all);
    const { rows, threads, perSecond } = best[model.name];
    context.say(
      `${model.name}: bare engine ${perSecond.toFixed(1)} rows/s with ${rows} rows, ${threads} threads`,
    );
  }
  return { ...(await measureLoads(part, context, best)), tried };
}

/** Every size with one thread, then the best of them with more. */
async function tryBare(model, { options }) {
  const tried = [];
  const run = async (bare) =>
    tried.push({ model: model.name, ...(await runRaw(model, { ...options, seconds: 1, bare })) });
  for (const rows of ROWS) await run({ rows, threads: 1 });
  const { rows } = fastest(tried);
  for (const threads of MORE_THREADS) await run({ rows, threads });
  return tried;
}

/** By CPU time, since they share one core: other processes disturb it less than rows/s. */
function fastest(runs) {
  return runs.reduce((best, run) => (run.cpuUsPerRequest < best.cpuUsPerRequest ? run : best));
}

/** The same server under another load than wrk's. */
function withTool(server, tool) {
  if (tool === undefined) return server;
  return { ...server, request: (model, encoding) => ({ ...server.request(model, encoding), tool }) };
}

async function hostsOf(up, model) {
  const hosts = [];
  // Over gRPC its port is another.
  for (const { name, port, process } of up.filter(
    ({ name, encodings }) => name.startsWith('nimify') && !encodings.includes('raw'),
  )) {
    process.resume();
    hosts.push({ server: name, model: model.name, host: await hostOf(port) });
    process.pause();
  }
  return hosts;
}

import { checkAnswers, loadFor, measureRun, runRaw, scenariosOf, startAll } from './measure.mjs';
import { ask } from './server-process.mjs';

const MOST_WARM_SECONDS = 4;

/**
 * Everything of one model, in the suites whose load is so many requests in flight: appends to `results`.
 * @param onUp called with the servers once they are warm
 */
export async function measureModel(model, servers, { options, suite, results, say, onUp }) {
  const first = await runRaw(model, options);
  const { scenarios, leftOut: out } = scenariosOf(model, 1e6 / first.perSecond, options);
  results.leftOut.push(...out);
  say(`${model.name}: ${Math.round(first.runUs)} µs a run`);
  const { up, failed } = await startAll(servers, model, options);
  results.failed.push(...failed);
  for (const { server, reason } of failed) say(`${server} does not serve ${model.name}: ${reason}`);
  try {
    const bodyBytes = {};
    for (const encoding of options.encodings) {
      await checkAnswers(up, model, encoding, ask);
      bodyBytes[encoding] = servers[0].request(model, encoding).body.length;
      for (const server of up)
        if (server.encodings.includes(encoding)) await warmUp(server, model, encoding, options);
    }
    await onUp?.(up);
    results.models.push({
      name: model.name,
      about: model.about,
      bodyBytes,
      inputs: model.inputs.map(toSpec),
    });
    for (const scenario of scenarios)
      await measureScenario(model, scenario, up, { options, suite, results, say });
  } finally {
    for (const { process } of up) await process.stop();
  }
}

/** For a second; with `warmRequests` until so many are answered, within seconds: V8 compiles by how often code runs. */
export async function warmUp(server, model, encoding, options) {
  const load = loadFor(server, model, encoding, options.cache);
  let answered = 0;
  for (let second = 0; second < MOST_WARM_SECONDS; second += 1) {
    const { requests } = await measureRun(server, load, { ...options, connections: 8, seconds: 1 });
    answered += requests;
    if (answered >= (options.warmRequests ?? 0)) return;
  }
}

async function measureScenario(
  model,
  { encoding, connections, seconds },
  up,
  { options, suite, results, say },
) {
  const measured = up.filter(
    (server) => server.encodings.includes(encoding) && (server.concurrencies?.includes(connections) ?? true),
  );
  for (let round = 0; round < options.rounds; round += 1) {
    for (const server of measured) {
      const load = loadFor(server, model, encoding, options.cache);
      const where = { model: model.name, encoding, connections, server: server.name, round };
      const run = await measureRun(server, load, { ...options, connections, seconds }).catch((error) => {
        // A peer that died: the others are measured all the same, and the page says so.
        results.failed.push({
          ...where,
          reason: `${encoding}, ${connections} connections: ${error.message}`,
        });
      });
      if (run === undefined) continue;
      results.runs.push({ ...where, ...run });
      const cost = `${Math.round(run.perSecond)}/s, p99 ${(run.p99Us / 1000).toFixed(1)} ms, ${run.cpuUsPerRequest?.toFixed(1)} µs`;
      const failures = run.failed > 0 ? `, ${run.failed} FAILED` : '';
      say(`  ${encoding} ${connections} ${server.name}: ${cost}${failures}`);
    }
    if (connections === suite.rawAt) {
      results.raw.push({ model: model.name, encoding, round, ...(await runRaw(model, options)) });
    }
  }
}

export function toSpec({ name, datatype, shape }) {
  return { name, datatype, shape };
}

import { checkAnswers, runRaw, startAll } from '../measure.mjs';
import { toSpec, warmUp } from '../measure-model.mjs';
import { places } from '../places.mjs';
import { ask } from '../server-process.mjs';
import { median } from '../statistics.mjs';
import { gridServers } from './grid.mjs';
import { leastMissed } from './least-missed.mjs';
import { GRID_LOADS, HALF_LOAD, OPEN_LOADS, OVERLOAD, REFUSAL_LOAD, scheduleAt } from './loads.mjs';
import { closedRounds, openRounds, overloadBesidePeak } from './rounds.mjs';
import { runEngineAlone } from './run-engine-alone.mjs';
import { floorOfRefusals } from './servers.mjs';

/** Below it a refusal costs what an answer costs, and no client here can offer three times the peak. */
const OVERLOAD_FROM_US = 1900;
const GRID_ROUNDS = 2;
const HALF_ROUNDS = 2;

/**
 * Everything of one model in the suite `batching`: throughput with so many requests in flight, which gives each
 * server's peak; half of it, which fixes the objective; then all again that can be told the objective, at shares of the
 * peak; overload; and fixed batch sizes and windows beside nimify's own choice, with the objective and without. Appends to `results`.
 */
export async function measureBatching(model, servers, { options, results, say }) {
  const { runUs } = await runRaw(model, options);
  say(`${model.name}: ${Math.round(runUs)} µs a run`);
  const context = { model, runUs, options: { ...options, trace: tracePath() }, results, say, peaks: {} };
  const entry = { name: model.name, about: model.about, inputs: model.inputs.map(toSpec), bareRunUs: runUs };
  results.models.push(entry);

  let up = await startChecked(servers, context);
  try {
    for (const connections of options.concurrencies)
      await closedRounds(up, connections, { ...context, scenario: 'closed' });
    entry.peaks = context.peaks;
    entry.objectiveMs = await findObjective(up[0], context);
    context.objectiveMs = entry.objectiveMs;
    say(`  objective ${entry.objectiveMs.toFixed(2)} ms`);

    up = await restartWithObjective(up, context);
    if (options.scenarios.includes('open')) {
      for (const load of OPEN_LOADS) await openRounds(up, load, { ...context, scenario: 'open' });
    }
    if (options.scenarios.includes('overload') && runUs >= OVERLOAD_FROM_US) {
      entry.ownObjectivesMs = ownObjectives(model, results);
      const { ownObjectivesMs } = entry;
      await measureOverload(up[0], servers, context);
      await openRounds(up, OVERLOAD, { ...context, scenario: 'overload', ownObjectivesMs, isLast: true });
    }
  } finally {
    for (const { process } of up) await process.stop();
  }
  if (options.scenarios.includes('open')) await measureRefusals(context, entry);
  if (options.scenarios.includes('grid')) await measureGrid(context);
}

/** Of nimify, beside one of its kind that refuses nobody, and a socket that refuses all. */
async function measureOverload(nimify, [server], context) {
  const { objectiveMs: _, ...without } = context;
  const [patient] = await startChecked([server], without);
  const [floor] = await start([floorOfRefusals(context.options.root, server)], without);
  try {
    await overloadBesidePeak({ server: nimify, patient, floor }, context);
  } finally {
    for (const { process } of [patient, floor]) await process.stop();
  }
}

/**
 * Who is refused below capacity, with the objective: nimify beside each fixed pair on the same arrivals, and what
 * nobody could do without.
 */
async function measureRefusals(context, entry) {
  const { model, options, objectiveMs, peaks, results } = context;
  const up = await startChecked(gridServers(options.root), context);
  try {
    await openRounds(up, REFUSAL_LOAD, { ...context, scenario: 'refusals' });
  } finally {
    for (const { process } of up) await process.stop();
  }
  const rounds = results.runs.filter(
    ({ model: name, scenario, server }) =>
      name === model.name && scenario === 'refusals' && server === 'nimify',
  );
  entry.leastMissedShares = rounds.map(({ round }) => {
    const { schedule, rampSeconds } = scheduleAt(REFUSAL_LOAD, { ...options, peak: peaks.nimify, round });
    return leastMissed({
      schedule,
      rampSeconds,
      objectiveMs,
      peak: peaks.nimify,
      bareRunUs: entry.bareRunUs,
    });
  });
  entry.engineAlone = [];
  for (const { round } of rounds) {
    const { schedule, rampSeconds } = scheduleAt(REFUSAL_LOAD, { ...options, peak: peaks.nimify, round });
    entry.engineAlone.push(await runEngineAlone(model, { schedule, rampSeconds, objectiveMs }, options));
  }
}

/** Without the objective: each is to answer the same requests, not to refuse some of them. */
async function measureGrid({ objectiveMs: _, ...context }) {
  const up = await startChecked(gridServers(context.options.root), context);
  try {
    const rounds = Math.max(GRID_ROUNDS, context.options.rounds);
    const grid = { ...context, scenario: 'grid', options: { ...context.options, rounds } };
    for (const load of GRID_LOADS) {
      if (load.connections === undefined) await openRounds(up, load, grid);
      else await closedRounds(up, load.connections, grid);
    }
  } finally {
    for (const { process } of up) await process.stop();
  }
}

/** Those that start and answer as the first one does, warm. */
async function startChecked(servers, context) {
  const { model, options, results, say } = context;
  const up = await start(servers, context);
  const kept = [];
  for (const server of up) {
    try {
      await checkAnswers(server === up[0] ? [server] : [up[0], server], model, 'json', ask);
      await warmUp(server, model, 'json', options);
      kept.push(server);
    } catch (error) {
      if (server === up[0]) throw error;
      results.failed.push({ server: server.name, model: model.name, reason: String(error.message) });
      say(`  ${error.message}`);
      await server.process.stop(0);
    }
  }
  return kept;
}

async function start(servers, { model, options, results, say, objectiveMs }) {
  const { up, failed } = await startAll(servers, model, { ...options, objectiveMs });
  results.failed.push(...failed);
  for (const { server, reason } of failed) say(`  ${server} does not serve ${model.name}: ${reason}`);
  return up;
}

/** Their answers have been compared before. */
async function restartWithObjective(up, context) {
  const restarted = up.filter((server) => server.takesObjective);
  for (const { process } of restarted) await process.stop();
  const again = await start(restarted, context);
  for (const server of again) await warmUp(server, context.model, 'json', context.options);
  return up
    .map((server) => (server.takesObjective ? again.find(({ name }) => name === server.name) : server))
    .filter((server) => server !== undefined);
}

/**
 * Twice nimify's p99 at half load, in milliseconds; of its quietest round, since other processes only ever add, and what
 * everything after it is judged by is not to hang on one run.
 */
async function findObjective(nimify, context) {
  const rounds = Math.max(HALF_ROUNDS, context.options.rounds);
  const options = { ...context.options, rounds };
  await openRounds([nimify], HALF_LOAD, { ...context, options, scenario: 'half' });
  const half = context.results.runs.filter(
    (run) => run.model === context.model.name && run.scenario === 'half' && Number.isFinite(run.p99Us),
  );
  if (half.length === 0) throw new Error(`nimify did not answer ${context.model.name} at half load`);
  return (2 * Math.min(...half.map((run) => run.p99Us))) / 1000;
}

/** Twice each server's p99 at half of its own peak, with Poisson arrivals. */
function ownObjectives(model, { runs }) {
  const { arrivals, share } = HALF_LOAD;
  const half = runs.filter(
    (run) =>
      run.model === model.name &&
      run.scenario === 'open' &&
      run.arrivals === arrivals &&
      run.share === share &&
      Number.isFinite(run.p99Us),
  );
  const p99UsOf = (server) => median(half.filter((run) => run.server === server).map((run) => run.p99Us));
  return Object.fromEntries(half.map(({ server }) => [server, (2 * p99UsOf(server)) / 1000]));
}

function tracePath() {
  return `${places().data}/traces/azure-llm-2023/AzureLLMInferenceTrace_conv.csv`;
}

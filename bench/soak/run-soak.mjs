import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSeededRandom } from '../../dist/base/util/seeded-random.js';
import { judge } from './judge.mjs';
import { createLedger } from './ledger.mjs';
import { createLoad } from './load.mjs';
import { startServed } from './server.mjs';
import { modelsOf, openSubjects } from './subjects.mjs';

const LONGEST_CYCLE_MS = 20_000;
const FEWEST_CYCLES = 2;
/** For connections to be forgotten after a pause began. */
const SETTLE_WITHIN_MS = 5000;

/**
 * Serves models, puts a mixed load on them for so long, and looks at every answer and at what the server holds.
 * @param folder for the server's configuration
 */
export async function runSoak({ minutes, seed, folder, say }) {
  const subjects = await openSubjects(createSeededRandom(seed));
  const models = modelsOf(subjects);
  const server = await startServed(models, folder);
  const ledger = createLedger();
  const { port, grpcPort } = server;
  const load = createLoad({ subjects, ledger, seed, port, grpcPort });
  const startMs = performance.now();
  const cycleMs = Math.min(LONGEST_CYCLE_MS, (minutes * 60_000) / FEWEST_CYCLES);
  const pauses = [];
  while (performance.now() - startMs < minutes * 60_000 && server.isAlive()) {
    await load.cycle(cycleMs);
    if (!server.isAlive()) break;
    pauses.push({ seconds: Math.round((performance.now() - startMs) / 1000), ...(await atRest(server)) });
    const { seconds, memoryMib, handles } = pauses.at(-1);
    const { sent, lost, wrong, unexpected, surplus } = ledger.counts;
    const bad = lost + wrong + unexpected + surplus;
    say(`${seconds} s: ${sent} requests, ${bad} faults; ${memoryMib.toFixed(0)} MiB, ${handles} handles`);
  }
  const tookSeconds = Math.round((performance.now() - startMs) / 1000);
  const isAlive = server.isAlive();
  const batched = isAlive ? await server.metric('nimify_batched_requests_total') : 0;
  const served = isAlive ? await countsOf(server, models, ledger) : [];
  const exit = await server.end();
  const { counts, faults } = ledger;
  const logFaults = server.faults();
  const isBalanced = ledger.isBalanced();
  const findings = judge({ counts, isBalanced, pauses, served, exit, logFaults, cores: cpus().length });
  return { tookSeconds, counts, batched, served, pauses, faults, logFaults, findings };
}

/** What the server holds when nothing is open any more. */
async function atRest(server) {
  const untilMs = performance.now() + SETTLE_WITHIN_MS;
  let held = server.handles();
  for (let isFalling = true; isFalling && performance.now() < untilMs; ) {
    await sleep(500);
    const now = server.handles();
    isFalling = now.handles !== held.handles;
    held = now;
  }
  return { memoryMib: server.memoryMib(), ...held, threads: server.threads() };
}

/** The server cannot know whether those who left had seen their answers. */
async function countsOf(server, models, { answeredBy, abandonedBy }) {
  const counted = [];
  for (const { name: model } of models) {
    const answered = answeredBy[model] ?? 0;
    counted.push({
      model,
      answered,
      successes: await server.successes(model),
      mayHave: abandonedBy[model] ?? 0,
    });
  }
  return counted;
}

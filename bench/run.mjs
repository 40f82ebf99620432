/**
 * `npm run bench`: nimify beside its peers and its floors. Writes bench/results/<date>-<label>.json with every
 * number, and a page beside it with tables and what became of the bars. `--help` lists the flags.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { orExplain, setUp } from '../scripts/setup.mjs';
import { readFlags } from './harness/flags.mjs';
import { describeMachine, requireTools } from './harness/machine.mjs';
import { findModels } from './harness/models.mjs';
import { CACHE, places, ROOT } from './harness/places.mjs';
import { profileServer } from './harness/profile-server.mjs';
import { buildMessages, buildModels, packageVersions, preparePython } from './harness/python.mjs';
import { measureStartUps } from './harness/start-up.mjs';
import { SUITES } from './harness/suites.mjs';

/** The model whose start-up and idle memory are measured: tiny, so that what shows is the server. */
const START_UP_MODEL = 'own_iris_rf';
const START_UP_ROUNDS = 7;
/** Interpreters of peers that want versions of their own. */
const OWN_PYTHONS = {
  mlserver: { variable: 'NIMIFY_BENCH_MLSERVER_PYTHON', packageName: 'mlserver' },
  triton: { variable: 'NIMIFY_BENCH_TRITON_PYTHON', packageName: 'nvidia-pytriton' },
  bentoml: { variable: 'NIMIFY_BENCH_BENTOML_PYTHON', packageName: 'bentoml' },
};

const flags = readFlags(process.argv.slice(2), hostname());
const suite = SUITES[flags.suite];
await orExplain(setUp);
const startedAt = Date.now();
mkdirSync(CACHE, { recursive: true });
for (const tool of [suite.tool, ...(suite.alsoNeeds ?? [])]) requireTools({ root: ROOT, tool, ...flags });
const machine = describeMachine({ root: ROOT, tool: suite.tool });
const python = preparePython({
  variable: 'NIMIFY_BENCH_PYTHON',
  folder: `${CACHE}/python`,
  requirements: `${ROOT}/bench/requirements.txt`,
});
buildModels({ python, script: `${ROOT}/bench/models/make_models.py`, folder: `${CACHE}/models` });
if (suite.needsMessages) {
  buildMessages({ python, proto: `${ROOT}/proto/inference`, folder: `${CACHE}/proto` });
}
const { servers, unavailable, versions } = chooseServers();
const { models, leftOut } = chooseModels();
const options = { ...flags, root: ROOT, cache: CACHE };

const results = {
  ...{
    suite: flags.suite,
    label: flags.label,
    date: new Date().toISOString().slice(0, 10),
    args: process.argv.slice(2),
  },
  ...{ machine, versions, seconds: flags.seconds, rounds: flags.rounds, unavailable, leftOut },
  ...{ models: [], runs: [], raw: [], startUps: [], failed: [], profiles: [] },
};

if (suite.measuresStartUps) results.startUps = await startUps();
if (suite.measureAll !== undefined) await suite.measureAll({ servers, models, options, results, say });
else for (const model of models) await suite.measureModel(model, servers, { options, suite, results, say });
if (flags.profile) await profiles();
results.bars = suite.judgeBars(results);
results.noise = suite.noiseOf(results.runs, results);
results.tookSeconds = Math.round((Date.now() - startedAt) / 1000);

const out = flags.out ?? `${ROOT}/bench/results`;
mkdirSync(out, { recursive: true });
const name = `${out}/${results.date}-${results.label}`;
writeFileSync(`${name}.json`, `${JSON.stringify(results, undefined, 1)}\n`);
writeFileSync(`${name}.md`, suite.renderReport(results, suite));
say(`${name}.md after ${Math.round(results.tookSeconds / 60)} min`);
for (const { what, bar, unit, measured, verdict } of results.bars) {
  const value = measured === undefined ? '' : `: ${measured.median.toFixed(2)} ${unit}`;
  say(`${verdict.padEnd(12)} ${what}${value}${bar === undefined ? '' : ` (${bar} ${unit})`}`);
}

function chooseServers() {
  const missing = [];
  const found = packageVersions(python, suite.packages);
  const pythons = {};
  for (const [peer, { variable, packageName }] of Object.entries(OWN_PYTHONS)) {
    if (!isWanted(peer)) continue;
    try {
      const folder = `${CACHE}/python-${peer}`;
      pythons[peer] = preparePython({
        variable,
        folder,
        requirements: `${ROOT}/bench/requirements-${peer}.txt`,
      });
      found[packageName] = packageVersions(pythons[peer], [packageName])[packageName];
    } catch (error) {
      missing.push({ server: peer, reason: error.message });
    }
  }
  if (isWanted('litserve') && found.litserve === undefined) {
    missing.push({ server: 'litserve', reason: 'not installed there' });
  }
  const made = suite.serversFor({
    ...{ root: ROOT, cache: CACHE, python },
    ...{ mlserverPython: pythons.mlserver, tritonPython: pythons.triton, bentomlPython: pythons.bentoml },
  });
  const chosen = made.filter(({ name: server }) => {
    const peer = suite.peers[server];
    if (peer === undefined) return suite.always.includes(server);
    return isWanted(peer) && !missing.some((one) => one.server === peer);
  });
  return { servers: chosen, unavailable: missing, versions: found };
}

function isWanted(peer) {
  return flags.peers.includes(peer) && Object.values(suite.peers).includes(peer);
}

function chooseModels() {
  const all = findModels(flags.models, places());
  const there = all.filter((model) => !model.missing);
  for (const model of all) if (model.missing) say(`without ${model.name}: ${model.path} is not there`);
  return { models: there, leftOut: [] };
}

async function startUps() {
  const [model] = findModels([START_UP_MODEL], places());
  const measured = servers.filter((server) => ['nimify', 'node-http', 'fastapi'].includes(server.name));
  say(`start-up of ${model.name}`);
  const rounds = flags.quick ? 2 : START_UP_ROUNDS;
  return measureStartUps(measured, model, { rounds, serverCore: flags.serverCore });
}

async function profiles() {
  const nimify = servers.find((server) => server.name === (suite.profiledServer ?? 'nimify'));
  for (const model of models.filter((one) => suite.profiled.includes(one.name))) {
    for (const encoding of flags.encodings) {
      say(`profile of ${model.name}, ${encoding}`);
      const seconds = flags.quick ? 2 : 5;
      const how = { ...options, connections: 64, seconds };
      const profile = await profileServer(nimify, model, encoding, how).catch((error) => {
        // What was measured before it is worth more than this.
        const { name: server } = nimify;
        results.failed.push({ server, model: model.name, reason: `${encoding}, profile: ${error.message}` });
      });
      if (profile !== undefined) results.profiles.push(profile);
    }
  }
}

function say(line) {
  process.stderr.write(`${line}\n`);
}

/**
 * `npm run simulate`: the batcher beside fixed windows and the rules of others, in virtual time, on the same arrivals.
 * Writes bench/results/<date>-<label>.json with every number, and a page beside it. `--help` lists the flags.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { orExplain, setUp } from '../../scripts/setup.mjs';
import { describeCommit } from '../harness/machine.mjs';
import { places, ROOT } from '../harness/places.mjs';

const HELP = `npm run simulate -- [flags]

  --quick              few scenarios, loads and requests: shows that everything works
  --profiles a,b       default: all
  --arrivals a,b       default: all
  --slots 1,2          runs at once; default 1,2 (2 with Poisson arrivals only)
  --loads 0.5,3        of the capacity
  --requests n         at each load. Default 10000
  --seed n             default 1
  --label name         goes into the names of the result files. Default: simulation
  --out folder         default bench/results
  --hindsight file     nothing of the above: measures for results that are there already how much of what they missed is
                       luck, and writes them and their page anew
`;

const LOADS = [0.1, 0.25, 0.5, 0.65, 0.8, 0.9, 1, 1.2, 1.5, 2, 3];
const QUICK = {
  loads: [0.5, 1.5],
  requests: 2000,
  profiles: ['affine-10'],
  arrivals: ['poisson', 'gamma-4'],
};

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    profiles: { type: 'string' },
    arrivals: { type: 'string' },
    slots: { type: 'string' },
    loads: { type: 'string' },
    requests: { type: 'string' },
    seed: { type: 'string', default: '1' },
    label: { type: 'string' },
    out: { type: 'string', default: `${ROOT}/bench/results` },
    hindsight: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (flags.help) {
  process.stdout.write(HELP);
  process.exit(0);
}

await orExplain(setUp);
// What is simulated runs from dist/, which may have been built only now.
const { loadArrivals } = await import('./arrivals.mjs');
const { runScenario } = await import('./experiment.mjs');
const { measureHindsight } = await import('./hindsight.mjs');
const { nimify } = await import('./nimify.mjs');
const { loadProfiles } = await import('./profiles.mjs');
const { renderReport } = await import('./report.mjs');
const { readResults, writeResults } = await import('./results-file.mjs');
const { judge } = await import('./verdicts.mjs');

const { data } = places();
const everyProfile = loadProfiles(data);
const everyArrivals = loadArrivals(data);
if (flags.hindsight === undefined) await runAll();
else await lookBack(flags.hindsight);

async function runAll() {
  const profiles = everyProfile.filter(isWanted(flags.profiles, flags.quick ? QUICK.profiles : undefined));
  const arrivals = everyArrivals.filter(isWanted(flags.arrivals, flags.quick ? QUICK.arrivals : undefined));
  const loads = flags.loads?.split(',').map(Number) ?? (flags.quick ? QUICK.loads : LOADS);
  const count = Number(flags.requests ?? (flags.quick ? QUICK.requests : 10_000));
  const seed = Number(flags.seed);

  const scenarios = [];
  for (const profile of profiles) {
    for (const kind of arrivals) {
      for (const slots of slotsFor(kind)) {
        const startedAt = performance.now();
        const scenario = { profile, arrivals: kind, slots, count, seed };
        const result = await runScenario(scenario, loads, nimify);
        const beforehand = await measureHindsight(scenario, nimify, result);
        scenarios.push({ ...result, beforehand });
        const [verdict] = judge(scenarios.slice(-1));
        say(
          `${profile.name}, ${kind.name}, ${slots}: goodput ${verdict.worstGoodput.value.toFixed(3)} at ${verdict.worstGoodput.load}, ` +
            `latency ${verdict.worstLatency?.value.toFixed(3)} at ${verdict.worstLatency?.load}, kept ${verdict.keptAtWorst.toFixed(2)}, ` +
            `${verdict.verdict} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`,
        );
      }
    }
  }
  const date = new Date().toISOString().slice(0, 10);
  const label = flags.label ?? (flags.quick ? 'simulation-quick' : 'simulation');
  write(`${flags.out}/${date}-${label}.json`, {
    ...{ suite: 'simulation', date, args: process.argv.slice(2) },
    machine: { node: process.version, ...describeCommit(ROOT) },
    ...{ seed, count, profiles: profiles.map(about), arrivals: arrivals.map(about) },
    scenarios,
  });
}

/** The same for results that are there: of their scenarios nothing is run again but what `measureHindsight` runs. */
async function lookBack(file) {
  const results = readResults(file);
  const { count, seed } = results;
  const scenarios = [];
  for (const result of results.scenarios) {
    const profile = byName(everyProfile, result.profile);
    const arrivals = byName(everyArrivals, result.arrivals);
    const scenario = { profile, arrivals, slots: result.slots, count, seed };
    const beforehand = await measureHindsight(scenario, nimify, result);
    scenarios.push({ ...result, beforehand });
    const [{ verdict }] = judge(scenarios.slice(-1));
    say(`${result.profile}, ${result.arrivals}, ${result.slots}: ${verdict}`);
  }
  write(file, { ...results, scenarios });
}

/** The results, and the page beside them. */
function write(file, results) {
  const { scenarios, ...rest } = results;
  const judged = { ...rest, verdicts: judge(scenarios), scenarios };
  writeResults(file, judged);
  const page = `${file.replace(/\.json$/, '')}.md`;
  writeFileSync(page, renderReport(judged));
  say(page);
}

function isWanted(wanted, fallback) {
  const names = wanted?.split(',') ?? fallback;
  return ({ name }) => names === undefined || names.includes(name);
}

function byName(all, wanted) {
  const one = all.find(({ name }) => name === wanted);
  if (one === undefined) throw new Error(`${wanted} is not there: NIMIFY_DATA names the folder that has it`);
  return one;
}

function about({ name, about: text }) {
  return { name, about: text };
}

/** Several slots only once for each profile: what they change does not depend on the arrivals. */
function slotsFor(kind) {
  if (flags.slots !== undefined) return flags.slots.split(',').map(Number);
  return kind.name === 'poisson' && !flags.quick ? [1, 2] : [1];
}

function say(line) {
  process.stderr.write(`${line}\n`);
}

/**
 * `npm run simulate`: the batcher beside fixed windows and the rules of others, in virtual time, on the same arrivals.
 * Writes bench/results/<date>-<label>.json with every number, and a page beside it. `--help` lists the flags.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
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
const { nimify } = await import('./nimify.mjs');
const { loadProfiles } = await import('./profiles.mjs');
const { renderReport } = await import('./report.mjs');
const { judge } = await import('./verdicts.mjs');

const { data } = places();
const isWanted = (wanted, fallback) => {
  const names = wanted?.split(',') ?? fallback;
  return ({ name }) => names === undefined || names.includes(name);
};
const profiles = loadProfiles(data).filter(
  isWanted(flags.profiles, flags.quick ? QUICK.profiles : undefined),
);
const arrivals = loadArrivals(data).filter(
  isWanted(flags.arrivals, flags.quick ? QUICK.arrivals : undefined),
);
const loads = flags.loads?.split(',').map(Number) ?? (flags.quick ? QUICK.loads : LOADS);
const count = Number(flags.requests ?? (flags.quick ? QUICK.requests : 10_000));
const seed = Number(flags.seed);

const scenarios = [];
for (const profile of profiles) {
  for (const kind of arrivals) {
    for (const slots of slotsFor(kind)) {
      const startedAt = performance.now();
      scenarios.push(await runScenario({ profile, arrivals: kind, slots, loads, count, seed }, nimify));
      const [verdict] = judge(scenarios.slice(-1));
      say(
        `${profile.name}, ${kind.name}, ${slots}: goodput ${verdict.worstGoodput.value.toFixed(3)} at ${verdict.worstGoodput.load}, ` +
          `latency ${verdict.worstLatency?.value.toFixed(3)} at ${verdict.worstLatency?.load}, kept ${verdict.keptAtWorst.toFixed(2)} ` +
          `(${((performance.now() - startedAt) / 1000).toFixed(1)} s)`,
      );
    }
  }
}

const about = ({ name, about: text }) => ({ name, about: text });
const results = {
  suite: 'simulation',
  date: new Date().toISOString().slice(0, 10),
  args: process.argv.slice(2),
  machine: { node: process.version, ...describeCommit(ROOT) },
  ...{ seed, count, profiles: profiles.map(about), arrivals: arrivals.map(about) },
  verdicts: judge(scenarios),
  scenarios,
};
mkdirSync(flags.out, { recursive: true });
const name = `${flags.out}/${results.date}-${flags.label ?? (flags.quick ? 'simulation-quick' : 'simulation')}`;
writeFileSync(`${name}.json`, toJson({ ...results, scenarios: scenarios.map(withColumns) }));
writeFileSync(`${name}.md`, renderReport(results));
say(`${name}.md`);

/** Several slots only once for each profile: what they change does not depend on the arrivals. */
function slotsFor(kind) {
  if (flags.slots !== undefined) return flags.slots.split(',').map(Number);
  return kind.name === 'poisson' && !flags.quick ? [1, 2] : [1];
}

/** Six digits, and lists of numbers or names on a line: the files are read by people, too. */
function toJson(value) {
  const text = JSON.stringify(
    value,
    (_key, one) => (typeof one === 'number' && Number.isFinite(one) ? Number(one.toPrecision(6)) : one),
    1,
  );
  return `${text.replaceAll(/\[[^[\]{}]*\]/g, (list) => list.replaceAll(/\s*\n\s*/g, ' '))}\n`;
}

function withColumns({ schedulers, ...scenario }) {
  const columns = Object.entries(schedulers).map(([scheduler, cells]) => [scheduler, toColumns(cells)]);
  return { ...scenario, schedulers: Object.fromEntries(columns) };
}

/** One list for each field instead of one object for each load. */
function toColumns(cells) {
  const fields = Object.keys(cells[0] ?? {});
  return Object.fromEntries(fields.map((field) => [field, cells.map((cell) => cell[field])]));
}

function say(line) {
  process.stderr.write(`${line}\n`);
}

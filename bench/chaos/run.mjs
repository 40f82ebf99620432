/**
 * `npm run chaos`: breaks things around and within a server that answers a steady load, one after the other, and says what
 * became of each request. Writes bench/results/<date>-<label>.json, and a page beside it. Ends with 1 where a bar is
 * missed, in the short form only where one is missed that a busy machine cannot be blamed for. `--help` lists the flags.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { orExplain, setUp } from '../../scripts/setup.mjs';
import { describeCommit } from '../harness/machine.mjs';
import { ROOT } from '../harness/places.mjs';

const HELP = `npm run chaos -- [flags]

  --short              seconds for each fault, with policies only, and a minute of soak
  --only names         some faults, by their names with commas between; without a soak
  --policies names     default, off, or both with a comma. Default: both; in the short form default
  --soak-minutes n     default 10, in the short form 1; 0: none
  --seed n             default 1
  --label name         goes into the names of the result files. Default: the machine's name and chaos
  --out folder         default bench/results; '-' writes nothing, as does the short form
`;

/** By which a request may be sent too late, and how often a fault is tried again for it. */
const MOST_LATE_MS = 250;
const MOST_TRIES = 3;

const args = process.argv.slice(2);
const { values: flags } = parseArgs({
  args,
  options: {
    short: { type: 'boolean', default: false },
    only: { type: 'string' },
    policies: { type: 'string' },
    'soak-minutes': { type: 'string' },
    seed: { type: 'string', default: '1' },
    label: { type: 'string', default: `${hostname().toLowerCase()}-chaos` },
    out: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (flags.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const form = flags.short ? 'short' : 'full';
const seed = Number(flags.seed);
const soakMinutes = Number(flags['soak-minutes'] ?? (flags.only !== undefined ? 0 : flags.short ? 1 : 10));
const allPolicies = (flags.policies ?? (flags.short ? 'default' : 'default,off')).split(',');
const out = flags.out ?? (flags.short ? '-' : `${ROOT}/bench/results`);
if (!(soakMinutes >= 0) || !Number.isSafeInteger(seed))
  throw new Error('--soak-minutes and --seed take numbers');
if (process.platform !== 'linux') throw new Error('processes are stopped and looked at as only Linux can');

await orExplain(setUp);
const { FAULTS } = await import('./faults/index.mjs');
const { judgeRow } = await import('./bars.mjs');
const { measureFault } = await import('./measure-fault.mjs');
const { measureOverload, OVERLOAD } = await import('./overload.mjs');
const { runSoak } = await import('./soak.mjs');
const { renderReport } = await import('./report.mjs');

const all = [...FAULTS, OVERLOAD];
const names = flags.only?.split(',') ?? all.map(({ name }) => name);
const chosen = names.map((name) => {
  const fault = all.find((one) => one.name === name);
  if (fault === undefined)
    throw new Error(`no fault '${name}'; there are ${all.map((one) => one.name).join(', ')}`);
  return fault;
});
const folder = mkdtempSync(join(tmpdir(), 'nimify-chaos-'));
// Neither the folder nor a server is left behind, however this ends.
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

const rows = [];
for (const fault of chosen) {
  const skipped = fault.needs?.();
  for (const policies of allPolicies) {
    if (skipped !== undefined) rows.push({ fault: fault.name, policies, skipped });
    else rows.push(await rowOf(fault, policies));
    say(rows.at(-1));
  }
}
const soak =
  soakMinutes === 0 ? undefined : await runSoak({ minutes: soakMinutes, seed, folder, say: print });

const failed = [
  ...rows
    .filter(({ policies, skipped }) => policies !== 'off' && skipped === undefined)
    .flatMap(({ fault, bars }) => bars.map((bar) => ({ fault, ...bar })))
    .filter(({ isMet, isTiming }) => !isMet && !(isTiming && form === 'short')),
  ...(soak?.findings ?? []).filter(({ isOk }) => isOk === false),
];
if (out !== '-') {
  const date = new Date().toISOString().slice(0, 10);
  // Where it is written to says nothing of what was measured.
  const kept = args.filter((arg, at) => arg !== '--out' && args[at - 1] !== '--out');
  const machine = {
    ...{ cpu: cpus()[0]?.model, cores: cpus().length, node: process.version },
    ...describeCommit(ROOT),
  };
  const meanings = chosen.map(({ name, what, about }) => ({ name, what, about }));
  const results = {
    suite: 'chaos',
    label: flags.label,
    date,
    args: kept,
    seed,
    form,
    machine,
    meanings,
    rows,
    soak,
  };
  mkdirSync(out, { recursive: true });
  const name = `${out}/${date}-${flags.label}`;
  writeFileSync(`${name}.json`, toJson(results));
  writeFileSync(`${name}.md`, renderReport(results));
  print(`${name}.md`);
}
for (const one of failed) print(`missed: ${JSON.stringify(one)}`);
process.exitCode = failed.length > 0 ? 1 : 0;

async function rowOf(fault, policies) {
  for (let tries = 1; ; tries += 1) {
    const own = mkdtempSync(join(folder, `${fault.name}-`));
    const how = { policies, form, seed, folder: own, cache: `${folder}/cache` };
    const row = fault === OVERLOAD ? await measureOverload(how) : await measureFault(fault, how);
    // What was sent late says nothing of the server: the machine had other things to do.
    const isDisturbed = row.sentLateMaxMs > MOST_LATE_MS;
    if (!isDisturbed || tries === MOST_TRIES)
      return { ...row, tries, isDisturbed, bars: judgeRow(fault, row) };
    print(
      `${fault.name} (${policies}): once more, the load stood still for ${Math.round(row.sentLateMaxMs)} ms`,
    );
  }
}

function say({ fault, policies, skipped, bars, requests, correct, refusals, examples }) {
  if (skipped !== undefined) return print(`${fault} (${policies}): not run: ${skipped}`);
  const text = bars.map(({ what, found, isMet }) => `${isMet ? '' : 'MISSED '}${what} ${found}`).join('; ');
  print(`${fault} (${policies}): ${correct} of ${requests}; ${text}`);
  if (Object.keys(refusals).length > 0) print(`  ${JSON.stringify(refusals)}`);
  if (policies !== 'off') for (const one of examples) print(`  ${JSON.stringify(one)}`);
}

/** Lists of numbers stand on a line: the files are read by people, too. */
function toJson(value) {
  const text = JSON.stringify(
    value,
    (_key, one) => (typeof one === 'number' && Number.isFinite(one) ? Number(one.toPrecision(6)) : one),
    1,
  );
  return `${text.replaceAll(/\[[^[\]{}"]*\]/g, (list) => list.replaceAll(/\s*\n\s*/g, ' '))}\n`;
}

function print(line) {
  process.stderr.write(`${line}\n`);
}

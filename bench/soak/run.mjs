/**
 * `npm run soak`: minutes of mixed load on `nimify serve`, with every answer compared bit for bit, and a look at what the
 * server holds. Writes bench/results/<date>-<label>.json, and a page beside it; ends with 1 where anything is wrong.
 * `--help` lists the flags.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { orExplain, setUp } from '../../scripts/setup.mjs';
import { describeCommit } from '../harness/machine.mjs';
import { ROOT } from '../harness/places.mjs';
import { renderReport, verdictText } from './report.mjs';

const HELP = `npm run soak -- [flags]

  --minutes n          default 10; growth of memory and handles is judged from three on
  --seed n             default 1
  --label name         goes into the names of the result files. Default: the machine's name and soak
  --out folder         default bench/results; '-' writes nothing
`;

const args = process.argv.slice(2);
const { values: flags } = parseArgs({
  args,
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    label: { type: 'string', default: `${hostname().toLowerCase()}-soak` },
    out: { type: 'string', default: `${ROOT}/bench/results` },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (flags.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const minutes = Number(flags.minutes);
const seed = Number(flags.seed);
if (!(minutes > 0) || !Number.isSafeInteger(seed)) throw new Error('--minutes and --seed take numbers');
if (process.platform !== 'linux')
  throw new Error('what a server holds is read from /proc, which only Linux has');

await orExplain(setUp);
// What asks over gRPC runs from dist/, which may have been built only now.
const { runSoak } = await import('./run-soak.mjs');
const machine = {
  cpu: cpus()[0]?.model,
  cores: cpus().length,
  node: process.version,
  ...describeCommit(ROOT),
};
const folder = mkdtempSync(join(tmpdir(), 'nimify-soak-'));
// Neither the folder nor the server is left behind, however this ends.
process.on('exit', () => rmSync(folder, { recursive: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
const soaked = await runSoak({ minutes, seed, folder, say });
for (const { what, found, isOk } of soaked.findings) say(`${verdictText(isOk).padEnd(10)} ${what}: ${found}`);
for (const fault of soaked.faults) say(JSON.stringify(fault));
for (const line of soaked.logFaults) say(line);

if (flags.out !== '-') {
  const date = new Date().toISOString().slice(0, 10);
  // Where it is written to says nothing of what was measured.
  const kept = args.filter((arg, at) => arg !== '--out' && args[at - 1] !== '--out');
  const results = { label: flags.label, date, args: kept, seed, machine, ...soaked };
  mkdirSync(flags.out, { recursive: true });
  const name = `${flags.out}/${date}-${flags.label}`;
  writeFileSync(`${name}.json`, `${JSON.stringify(results, undefined, 1)}\n`);
  writeFileSync(`${name}.md`, renderReport(results));
  say(`${name}.md`);
}
process.exitCode = soaked.findings.some(({ isOk }) => isOk === false) ? 1 : 0;

function say(line) {
  process.stderr.write(`${line}\n`);
}

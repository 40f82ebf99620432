/**
 * `node bench/soak/native.mjs --calls 10000000`: so many runs through ONNX Runtime's C API as the native host makes them,
 * of all models that are there, in mixed sizes, with cancellations, errors, collections of garbage, and sessions that come
 * and go. Each answer is compared with that of onnxruntime-node's add-on, bit for bit. Writes
 * bench/results/<date>-<label>.json, and a page beside it; ends with 1 where anything is wrong.
 */
import { fork } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, hostname } from 'node:os';
import { parseArgs } from 'node:util';
import { orExplain, setUp } from '../../scripts/setup.mjs';
import { describeCommit } from '../harness/machine.mjs';
import { number, table } from '../harness/markdown.mjs';
import { ROOT } from '../harness/places.mjs';
import { memoryGrowth } from './judge.mjs';
import { someOf, verdictText } from './report.mjs';

const args = process.argv.slice(2);
const { values: flags } = parseArgs({
  args,
  options: {
    calls: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    label: { type: 'string', default: `${hostname().toLowerCase()}-native` },
    out: { type: 'string', default: `${ROOT}/bench/results` },
  },
});
const calls = Number(flags.calls);
const seed = Number(flags.seed);
if (!(calls > 0) || !Number.isSafeInteger(seed)) throw new Error('--calls and --seed take numbers');

await orExplain(setUp);
const machine = {
  cpu: cpus()[0]?.model,
  cores: cpus().length,
  node: process.version,
  ...describeCommit(ROOT),
};
const soaked = await makeCalls();
const findings = judge(soaked);
for (const { what, found, isOk } of findings) say(`${verdictText(isOk).padEnd(10)} ${what}: ${found}`);
for (const fault of soaked.faults) say(JSON.stringify(fault));

if (flags.out !== '-') {
  const date = new Date().toISOString().slice(0, 10);
  const results = { label: flags.label, date, calls, seed, machine, findings, ...soaked };
  mkdirSync(flags.out, { recursive: true });
  const name = `${flags.out}/${date}-${flags.label}`;
  writeFileSync(`${name}.json`, `${JSON.stringify(results, undefined, 1)}\n`);
  writeFileSync(`${name}.md`, render(results));
  say(`${name}.md`);
}
process.exitCode = findings.some(({ isOk }) => isOk === false) ? 1 : 0;

/** In a process of their own: a crash is a finding, too. */
async function makeCalls() {
  const child = fork(`${ROOT}/bench/soak/native/run-calls.mjs`, [JSON.stringify({ calls, seed })], {
    execArgv: ['--expose-gc', '--require', `${ROOT}/bin/thread-pool.cjs`],
  });
  process.on('exit', () => child.kill('SIGKILL'));
  const soaked = { subjects: [], counts: {}, faults: [], pauses: [] };
  child.on('message', ({ pause, ...rest }) => {
    Object.assign(soaked, rest);
    if (pause === undefined) return;
    soaked.pauses.push(pause);
    say(`${pause.calls} calls: ${pause.memoryMib.toFixed(0)} MiB, ${pause.faults} faults`);
  });
  const [code, signal] = await new Promise((resolve) => child.on('exit', (...ended) => resolve(ended)));
  return { ...soaked, ended: signal ?? code };
}

function judge({ counts, faults, pauses, ended }) {
  const { atOnce = 0, elsewhere = 0, answered = 0, refused = 0, ended: cut = 0 } = counts;
  const came = answered + refused + cut;
  return [
    { what: 'ends by itself', isOk: ended === 0, found: String(ended) },
    {
      what: 'every call has one end',
      isOk: came === calls,
      found: `${atOnce + elsewhere} made, ${came} ended`,
    },
    {
      what: 'answers and refusals other than those of the add-on',
      isOk: faults.length === 0,
      found: `${faults.length}`,
    },
    memoryGrowth(pauses),
  ];
}

function render({ counts, pauses, tookSeconds, cpuSeconds, subjects, faults, ...results }) {
  const { cpu, cores, node, commit, uncommitted } = results.machine;
  return `${[
    '# Soak of the native host',
    [
      `${cpu}, ${cores} cores, Node ${node}, commit ${commit?.slice(0, 12) ?? 'unknown'}${uncommitted ? ' with uncommitted changes' : ''};`,
      `\`node bench/soak/native.mjs --calls ${calls}\`, seed ${seed}, ${number(tookSeconds)} s, of which ${number(cpuSeconds)} s of processor time.`,
      `${subjects.length} models, ${number(subjects.reduce((sum, { requests }) => sum + requests, 0))} requests.`,
    ].join('\n'),
    table(
      ['', 'found', ''],
      results.findings.map(({ what, found, isOk }) => [what, found, verdictText(isOk)]),
    ),
    table(
      [
        'at once',
        'elsewhere',
        'answered',
        'refused',
        'cancelled',
        'ended by that',
        'sessions opened anew',
        'collections',
      ],
      [
        ['atOnce', 'elsewhere', 'answered', 'refused', 'cancelled', 'ended', 'reopened', 'collected'].map(
          (key) => number(counts[key]),
        ),
      ],
    ),
    table(
      ['calls', 'resident MiB', 'of it buffers'],
      someOf(pauses).map(({ calls: made, memoryMib, buffersMib }) => [
        ...[number(made), memoryMib.toFixed(1), buffersMib.toFixed(1)],
      ]),
    ),
    ...(faults.length === 0 ? [] : [faults.map((fault) => `- ${JSON.stringify(fault)}`).join('\n')]),
  ].join('\n\n')}\n`;
}

function say(line) {
  process.stderr.write(`${line}\n`);
}

import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { createRandom } from '../batching/arrivals.mjs';
import { named } from './servers.mjs';

const run = promisify(execFile);
const COUNT = 100_000;
const SEED = 1;
/** Some hundred texts. */
const SECONDS = '0.5';

/** What models answer with, and two that no model does: every digit different, and any bits at all. */
const DISTRIBUTIONS = {
  uniform: (random) => random(),
  normal: (random) => normalOf(random),
  probabilities: (random) => Math.exp(4 * normalOf(random)) / COUNT,
  rounded: (random) => Math.round(random() * 1e4) / 1e4,
  integers: (random) => Math.floor(random() * 256),
  bits: (random) => finiteOf(random),
};

/** CPU time of a text for the same numbers, by our writer, twice, and by orjson; in turn, a process each. */
export async function measureJsonOut(_part, { servers, options, say }) {
  const { root, cache, serverCore, rounds } = options;
  const folder = `${cache}/json-out`;
  mkdirSync(folder, { recursive: true });
  const python = named(servers, 'fastapi').start({ path: '' }, 0).command;
  const writers = {
    nimify: [process.execPath, `${root}/bench/peers/write-json.mjs`],
    orjson: [python, `${root}/bench/peers/write_json.py`],
    'nimify-again': [process.execPath, `${root}/bench/peers/write-json.mjs`],
  };
  const written = [];
  for (const [distribution, draw] of Object.entries(DISTRIBUTIONS)) {
    const random = createRandom(SEED);
    const data = Float32Array.from({ length: COUNT }, () => draw(random));
    const file = `${folder}/${distribution}.f32`;
    writeFileSync(file, data);
    for (let round = 0; round < rounds; round += 1) {
      for (const [writer, command] of Object.entries(writers)) {
        const env = { ...process.env, NUMBERS: file, SECONDS };
        const { stdout } = await run('taskset', ['-c', serverCore, ...command], { env });
        written.push({ distribution, writer, round, ...JSON.parse(stdout) });
        const { cpuUs, textBytes } = written.at(-1);
        if (round === 0) say(`  ${distribution} ${writer}: ${Math.round(cpuUs)} µs, ${textBytes} bytes`);
      }
    }
  }
  return { written };
}

/** Box and Muller. */
function normalOf(random) {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

const BITS = new Uint32Array(1);
const VALUE = new Float32Array(BITS.buffer);

function finiteOf(random) {
  do BITS[0] = Math.floor(random() * 2 ** 32);
  while (!Number.isFinite(VALUE[0]));
  return VALUE[0];
}

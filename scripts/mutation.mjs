/**
 * Says which changes of the code no test notices (mutation testing with StrykerJS):
 *
 *   npm run mutation                               all of FOLDERS; takes hours
 *   npm run mutation -- src/base/tensor            a folder
 *   npm run mutation -- src/base/oip/decode.ts     a file
 *   npm run mutation -- --concurrency 4            with more processes than one
 *
 * Files are gone through one by one, so that what a broken-off run has found is kept: the report on
 * src/base/oip/decode.ts is reports/mutation/base/oip/decode.html. The exit code is 1 where a folder's score, the
 * share of changes that tests noticed, is below LEAST_PERCENT.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';
import { ROOT } from './setup.mjs';

const FOLDERS = ['src/base/tensor', 'src/base/onnx', 'src/base/oip', 'src/policy'];
const LEAST_PERCENT = 80;
const VITEST_CONFIG = 'vitest.mutation.config.ts';

const { positionals, values: flags } = parseArgs({
  allowPositionals: true,
  options: { concurrency: { type: 'string', default: '1' } },
});
const paths = (positionals.length > 0 ? positionals : FOLDERS).map((path) => resolve(path));
process.chdir(ROOT);

/** `{ noticed, all }` by folder. */
const scores = new Map();
for (const file of paths.flatMap(filesOf)) {
  const { noticed, survivors } = await mutate(file);
  const all = noticed + survivors.length;
  if (all === 0) continue;
  console.log(`${file}: ${percentOf(noticed, all)}, ${noticed} of ${all}`);
  for (const survivor of survivors) console.log(`  ${survivor}`);
  const folder = FOLDERS.find((each) => file.startsWith(`${each}/`)) ?? 'others';
  const before = scores.get(folder) ?? { noticed: 0, all: 0 };
  scores.set(folder, { noticed: before.noticed + noticed, all: before.all + all });
}

console.log('\nNoticed changes:');
for (const [folder, { noticed, all }] of scores) {
  const isEnough = (100 * noticed) / all >= LEAST_PERCENT;
  console.log(
    `${folder.padEnd(18)}${percentOf(noticed, all)}, ${noticed} of ${all}${isEnough ? '' : ': too few'}`,
  );
  if (!isEnough) process.exitCode = 1;
}

/** The source files at or below `path`, relative to the checkout. */
function filesOf(path) {
  const found = statSync(path).isDirectory()
    ? readdirSync(path, { recursive: true }).map((name) => join(path, name))
    : [path];
  return found
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => relative(ROOT, file).split(sep).join('/'))
    .sort();
}

/** Changes one file, place by place, and runs the tests that reach each place. */
async function mutate(file) {
  const report = `reports/mutation/${file.replace(/^src\//, '').replace(/\.ts$/, '')}`;
  const run = (options) =>
    new Stryker({
      configFile: 'stryker.config.mjs',
      mutate: [file],
      concurrency: Number(flags.concurrency),
      jsonReporter: { fileName: `${report}.json` },
      htmlReporter: { fileName: `${report}.html` },
      ...options,
    }).runMutationTest();
  // None: types only, or no test imports the file. Among all tests, its changes count as unnoticed.
  let mutants = await run({});
  if (mutants.length === 0) mutants = await run({ vitest: { configFile: VITEST_CONFIG, related: false } });
  if (mutants.length === 0) return { noticed: 0, survivors: [] };
  const { source, mutants: all } = JSON.parse(readFileSync(`${report}.json`, 'utf8')).files[file];
  const lines = source.split('\n');
  return {
    // A change that makes a loop endless is noticed too.
    noticed: all.filter(({ status }) => status === 'Killed' || status === 'Timeout').length,
    survivors: all
      .filter(({ status }) => status === 'Survived' || status === 'NoCoverage')
      .map((mutant) => describe(mutant, lines)),
  };
}

function describe({ location: { start, end }, mutatorName, replacement, status }, lines) {
  const line = lines[start.line - 1].slice(start.column - 1);
  const original = start.line === end.line ? line.slice(0, end.column - start.column) : `${line} ...`;
  const untested = status === 'NoCoverage' ? ', reached by no test' : '';
  const change = `${original.slice(0, 80)} -> ${replacement.replace(/\s+/g, ' ').slice(0, 80)}`;
  return `${start.line}:${start.column} ${mutatorName}${untested}: ${change}`;
}

function percentOf(part, all) {
  return `${((100 * part) / all).toFixed(1)} %`;
}

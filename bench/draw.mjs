/**
 * Draws the results of the suite `batching` into docs/ and writes docs/performance.md around them.
 *
 *   node bench/draw.mjs [results.json]     default: the newest of bench/results/
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { drawOverload, drawThroughput } from './harness/batching/plots.mjs';
import { ROOT } from './harness/places.mjs';
import { renderBars } from './harness/report.mjs';

const RESULTS = `${ROOT}/bench/results`;
const file = process.argv[2] ?? newest();
const results = JSON.parse(readFileSync(file, 'utf8'));
if (results.suite !== 'batching') throw new Error(`${file} has no results of the suite batching`);
write('performance-throughput.svg', drawThroughput(results));
write('performance-overload.svg', drawOverload(results));
write('performance.md', pageOf(results));

function pageOf({ date, machine, bars, models }) {
  const page = `../bench/results/${basename(file, '.json')}.md`;
  return `# Performance of batching

Measured on ${date}: ${machine.cpu}, ${machine.cores} cores, one of them for the server and one for the load, Node
${machine.node}. [All numbers and how they were measured](${page}); \`npm run bench -- --suite batching\` measures them
again, and \`node bench/draw.mjs\` writes this page. Models: ${models.map(({ name }) => name).join(', ')}.

## Throughput against latency

A line goes through what a server answers at 20, 50 and 80 % of its own peak, and the 99th percentile of its latency
there; further right and further down is better.

![Throughput against p99 of each model and server](performance-throughput.svg)

## Three times too many requests

What is answered within the objective when three times as many requests come as a server can answer. The outline is what
it answers at its peak.

![Answers within the objective under overload](performance-overload.svg)

## What it was to come to

${renderBars(bars)}
`;
}

function write(name, content) {
  writeFileSync(`${ROOT}/docs/${name}`, content);
  process.stderr.write(`docs/${name}\n`);
}

function newest() {
  const found = readdirSync(RESULTS).filter((name) => /-batching.*\.json$/.test(name));
  if (found.length === 0) throw new Error(`${RESULTS} has no results of the suite batching`);
  return `${RESULTS}/${found.sort().at(-1)}`;
}

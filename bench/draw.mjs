/**
 * Draws the results of the suite `batching` into docs/ and writes docs/performance.md around them, with the bars of the
 * suite `limits`.
 *
 *   node bench/draw.mjs [results.json] [--out folder]     default: the newest of bench/results/, docs/
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { drawOverload, drawThroughput } from './harness/batching/plots.mjs';
import { percent, table } from './harness/markdown.mjs';
import { ROOT } from './harness/places.mjs';
import { renderBars } from './harness/report.mjs';
import { holdsBelowCapacity } from './simulation/verdicts.mjs';

const RESULTS = `${ROOT}/bench/results`;
const SMALLEST_SHARE = 0.01;
const { values, positionals } = parseArgs({
  options: { out: { type: 'string', default: `${ROOT}/docs` } },
  allowPositionals: true,
});
const file = positionals[0] ?? newest(/-batching.*\.json$/);
const results = JSON.parse(readFileSync(file, 'utf8'));
if (results.suite !== 'batching') throw new Error(`${file} has no results of the suite batching`);
write('performance-throughput.svg', drawThroughput(results));
write('performance-overload.svg', drawOverload(results));
write('performance.md', pageOf(results));

function pageOf({ date, machine, bars, models }) {
  const page = `../bench/results/${basename(file, '.json')}.md`;
  return `# Performance
${pageOfLimits()}
## Batching

Measured on ${date}: ${machine.cpu}, ${machine.cores} cores, one of them for the server and one for the load, Node
${machine.node}. [All numbers and how they were measured](${page}); \`npm run bench -- --suite batching\` measures them
again, and \`node bench/draw.mjs\` writes this page. Models: ${models.map(({ name }) => name).join(', ')}.

### Throughput against latency

A line goes through what a server answers at 20, 50 and 80 % of its own peak, and the 99th percentile of its latency
there; further right and further down is better.

![Throughput against p99 of each model and server](performance-throughput.svg)

### Three times too many requests

What is answered within the objective when three times as many requests come as a server can answer. The outline is what
it answers at its peak.

![Answers within the objective under overload](performance-overload.svg)

### What it was to come to

${renderBars(bars)}
${pageOfSimulation()}`;
}

/** What the newest run of the suite `limits` found, and where the time of its smallest requests goes. */
function pageOfLimits() {
  const file = found(/-limits\.json$/).at(-1);
  if (file === undefined) return '';
  const { date, machine, bars, profiles } = JSON.parse(readFileSync(file, 'utf8'));
  return `
## At the limits

Measured on ${date}: ${machine.cpu}, one core for the server and one for the load, Node ${machine.node}, beside the bare
engine, bare sockets, and what other writers take.
[All numbers and how they were measured](../bench/results/${basename(file, '.json')}.md); \`npm run bench -- --suite limits\`
measures them again.

${renderBars(bars)}
${profiles.map(pageOfProfile).join('')}`;
}

function pageOfProfile({ server, model, encoding, areas, mainThreadUsPerRequest }) {
  const rows = areas
    .filter(({ share }) => share >= SMALLEST_SHARE)
    .map(({ name, usPerRequest, share }) => [name, usPerRequest.toFixed(2), percent(share)]);
  return `
Where the ${mainThreadUsPerRequest.toFixed(1)} µs of a request go (${model}, ${encoding}, ${server}), by V8's sampling profiler:

${table(['where', 'µs', 'share'], rows)}
`;
}

/** What the newest simulation says of the same bars, where times are the same for everybody. */
function pageOfSimulation() {
  const file = newest(/-simulation\.json$/);
  const { scenarios, verdicts } = JSON.parse(readFileSync(file, 'utf8'));
  const all = scenarios.reduce((sum, { loads }) => sum + loads.length, 0);
  const within = verdicts.reduce((sum, { loadsWithin }) => sum + loadsWithin, 0);
  const missed = verdicts
    .map(({ missedAtLight }) => missedAtLight)
    .filter((one) => one?.bounds !== undefined);
  const many = (wanted) => missed.filter((one) => holdsBelowCapacity(one) === wanted).length;
  return `
### In simulation

[The batcher in virtual time](../bench/results/${basename(file, '.json')}.md), beside every fixed pair of size and window,
the best of them chosen after the fact for each load, and beside the rules of Triton, BentoML and Clipper
(\`npm run simulate\`). Goodput is within 5 % of the best pair's, or above, at ${within} of ${all} loads;
goodput and mean latency at all loads in ${verdicts.filter(({ verdict }) => verdict === 'met').length} of ${verdicts.length} scenarios${atMedian(verdicts)}.

"At most 0.1 % refused at 80 % load", with an objective of twice the p99 at half load, is met in ${many('met')} of ${missed.length} scenarios
with one slot. In ${many('impossible')} it cannot be met: who knew all requests beforehand, with all runs as quick as the quickest, would
leave out more. In ${many('impossible on average')} more that holds for runs of average length, and in ${many('missed by all')} more the best pair
misses it, too. Where batches gain nothing and runs always take the same (M/D/1), the objective is 8.6
service times, 3.5 % of the requests would wait longer at 80 % load, and who refuses exactly those refuses 0.72 %.
`;
}

/** Scenarios in which the loads that were missed are within the bar at the median of this and five other sets of arrivals. */
function atMedian(verdicts) {
  const count = verdicts.filter(({ verdict }) => verdict === 'at the median of six sets').length;
  return count === 0 ? '' : `, and in ${count} more at the median of six sets of arrivals`;
}

function write(name, content) {
  writeFileSync(`${values.out}/${name}`, content);
  process.stderr.write(`${values.out}/${name}\n`);
}

function newest(pattern) {
  const file = found(pattern).at(-1);
  if (file === undefined) throw new Error(`${RESULTS} has no results ${pattern}`);
  return file;
}

/** Oldest first. */
function found(pattern) {
  return readdirSync(RESULTS)
    .filter((name) => pattern.test(name))
    .sort()
    .map((name) => `${RESULTS}/${name}`);
}

/**
 * Draws the newest results of `npm run chaos` into docs/: reliability.md and its picture.
 *
 *   node bench/chaos/draw.mjs [results.json] [--out folder]     default: the newest of bench/results/, docs/
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { table } from '../harness/markdown.mjs';
import { ROOT } from '../harness/places.mjs';
import { drawFaults } from './plot.mjs';
import { renderBars, renderSoak } from './report.mjs';

const RESULTS = `${ROOT}/bench/results`;
const { values, positionals } = parseArgs({
  options: { out: { type: 'string', default: `${ROOT}/docs` } },
  allowPositionals: true,
});
const newest = readdirSync(RESULTS)
  .filter((name) => /-chaos\.json$/.test(name))
  .sort()
  .at(-1);
const file = positionals[0] ?? `${RESULTS}/${newest}`;
const results = JSON.parse(readFileSync(file, 'utf8'));
if (results.suite !== 'chaos') throw new Error(`${file} has no results of the fault suite`);
write('reliability-faults.svg', drawFaults(results));
write('reliability.md', pageOf(results));

function pageOf({ date, machine, seed, meanings, rows, soak }) {
  return `# Reliability

What becomes of requests while something is broken: processes killed and stopped, memory, disk and file descriptors gone,
connections that lose, delay and damage what they carry, three times too many requests. \`npm run chaos\` breaks it, while
requests come at times that were fixed beforehand, by JSON and as bytes, each with content of its own, and holds every answer
against the one that was computed beforehand. So a wrong answer is counted, not assumed away.

Measured on ${date}: ${machine.cpu}, ${machine.cores} cores, shared by the server and the load, Node ${machine.node}, seed ${seed}.
[All numbers](../bench/results/${basename(file, '.json')}.md); \`node bench/chaos/draw.mjs\` writes this page. Each fault has a
server of its own with nimify's defaults, and two processes for each of two models (\`engine.host: process\`), one of which
takes milliseconds a row. Beside it stands the same with all policies off: breaker, retry, ejection, and nobody who watches
over the server.

![Requests answered right and in time, for each fault](reliability-faults.svg)

## What it is to come to

${renderBars(rows)}

- **wrong answers**: an answer that is not, bit for bit, the one to this request, or one that nobody asked for. There must be
  none whatever is broken: who gets a wrong answer cannot know it.
- **requests without an answer**: the connection ended, or nothing came. There must be none: a client that hears nothing can
  only guess. Where the server's own process dies, the requests that were in it at that instant are lost with it; they
  are counted apart ("in flight" in the numbers).
- **right and in time**: of all requests, refused ones included, those with the right answer within 2 s. A refusal is the
  truth, but no answer.
- **nearly all answered in time again**: from when on, after the end of the fault, 95 % of the requests of every quarter of
  a second are answered in time. A server that stays slow after a fault is over (a metastable failure) would show here.
- **requests that failed**, with one process of four killed each second: there are three others, so that nobody has to notice.
- **first replaced**: from the kill until another process takes its place.
- **right and in time a second, of the peak**, with three times as many requests as can be answered: work must not be
  spent on requests that are too late anyway. The peak is measured right before and after.
- **breaker open**: from the first failed run of a model that fails always until its requests are refused at once.
- **runs that began, of the requests**: what retries add to the load when runs fail. More load is the last thing that
  something needs which fails already.

## What was broken

${table(
  ['fault', 'what happens'],
  meanings.map(({ name, what, about }) => [name, about === undefined ? what : `${what}. ${about}`]),
)}

Clients send nothing twice here: what is answered was answered the first time. \`nimify/client\` tries again where that helps.
${soak === undefined ? '' : `\n## For a while\n\nTwo faults at once, by chance, again and again, with a pause after each in which nothing is open: what the server holds there is to stay the same.\n\n${renderSoak(soak)}\n`}`;
}

function write(name, content) {
  writeFileSync(`${values.out}/${name}`, content);
  process.stderr.write(`${values.out}/${name}\n`);
}

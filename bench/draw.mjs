/**
 * Draws the results of the suite `batching` into docs/, as SVG.
 *
 *   node bench/draw.mjs [results.json]     default: the newest of bench/results/
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { drawOverload, drawThroughput } from './harness/batching/plots.mjs';
import { ROOT } from './harness/places.mjs';

const RESULTS = `${ROOT}/bench/results`;
const file = process.argv[2] ?? newest();
const results = JSON.parse(readFileSync(file, 'utf8'));
if (results.suite !== 'batching') throw new Error(`${file} has no results of the suite batching`);
for (const [name, draw] of [
  ['performance-throughput', drawThroughput],
  ['performance-overload', drawOverload],
]) {
  writeFileSync(`${ROOT}/docs/${name}.svg`, draw(results));
  process.stderr.write(`docs/${name}.svg\n`);
}

function newest() {
  const found = readdirSync(RESULTS).filter((name) => /-batching.*\.json$/.test(name));
  if (found.length === 0) throw new Error(`${RESULTS} has no results of the suite batching`);
  return `${RESULTS}/${found.sort().at(-1)}`;
}

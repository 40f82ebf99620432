import { existsSync, readFileSync } from 'node:fs';

const TRACES = 'traces/azure-llm-2023';
/** Multiples of it fall far from each other between whole numbers, however many there are. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * When requests come. `gaps` gives as many gaps as asked for, of mean 1; a trace begins at its `from`, 0 to 1.
 *
 * @typedef {{ name: string, about: string, gaps: (count: number, random: () => number, from: number) => number[] }} Arrivals
 */

/** @returns {Arrivals[]} the synthetic ones, and the traces where the data folder is there */
export function loadArrivals(dataFolder) {
  return [
    { name: 'poisson', about: 'exponential gaps', gaps: poissonGaps },
    gammaArrivals(2),
    gammaArrivals(4),
    ...['conv', 'code'].flatMap((kind) => readTrace(dataFolder, kind)),
  ];
}

/**
 * Times of arrival in nanoseconds, `count` of them, `perSecond` of them a second on average. Traces are the same
 * whatever is drawn: `set` says which of the places it is to begin at that are far from each other, 0 is its own.
 */
export function timesOf(arrivals, { perSecond, count, random, set = 0 }) {
  const gaps = arrivals.gaps(count, random, (set * GOLDEN) % 1);
  const times = new Float64Array(gaps.length);
  let atNs = 0;
  for (let index = 0; index < gaps.length; index += 1) {
    atNs += (gaps[index] * 1e9) / perSecond;
    times[index] = atNs;
  }
  return times;
}

function poissonGaps(count, random) {
  return Array.from({ length: count }, () => -Math.log(1 - random()));
}

/** Gaps of a gamma distribution: `cv` is their standard deviation over their mean; 1 would be Poisson. */
function gammaArrivals(cv) {
  const shape = 1 / (cv * cv);
  return {
    name: `gamma-${cv}`,
    about: `gamma gaps, coefficient of variation ${cv}`,
    gaps: (count, random) => Array.from({ length: count }, () => drawGamma(shape, random) / shape),
  };
}

/**
 * Marsaglia and Tsang: A simple method for generating gamma variables (2000); shapes below 1 by the power of a uniform
 * that the paper gives at its end.
 */
function drawGamma(shape, random) {
  if (shape < 1) return drawGamma(shape + 1, random) * (1 - random()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = drawNormal(random);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

function drawNormal(random) {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/**
 * A trace from one of its requests on, its gaps over their mean: the shape is the trace's, the rate is ours. One that
 * is too short is gone through again: where an objective is a good part of it, all would be told by how it ends otherwise.
 */
function readTrace(dataFolder, kind) {
  const file = `${dataFolder}/${TRACES}/AzureLLMInferenceTrace_${kind}.csv`;
  if (!existsSync(file)) return [];
  const seconds = readFileSync(file, 'utf8').trim().split('\n').slice(1).map(secondsOf);
  const minutes = Math.round((seconds.at(-1) - seconds[0]) / 60);
  return [
    {
      name: `azure-${kind}`,
      about: `Azure's trace of language model requests (2023, ${kind}): ${seconds.length} in ${minutes} min, time scaled`,
      gaps(count, _random, from) {
        const all = seconds.slice(1).map((second, index) => second - seconds[index]);
        const first = Math.floor(from * all.length);
        const taken = Array.from({ length: count }, (_, index) => all[(first + index) % all.length]);
        const meanGap = taken.reduce((sum, gap) => sum + gap, 0) / count;
        return taken.map((gap) => gap / meanGap);
      },
    },
  ];
}

/** Seven digits of a second, which Date does not read. */
function secondsOf(line) {
  const [, day, time, fraction] = /^(\S+) ([\d:]+)(\.\d+)?/.exec(line);
  return Date.parse(`${day}T${time}Z`) / 1000 + Number(fraction ?? 0);
}

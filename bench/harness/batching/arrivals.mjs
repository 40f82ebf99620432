import { readFileSync } from 'node:fs';

/**
 * When requests are to be sent, in milliseconds from the start, fixed before the first is sent: the same seed gives
 * the same times.
 *
 * @param kind `poisson`; `gamma`: burstier, the gaps' standard deviation is twice their mean; `trace`: arrivals that
 *   were recorded, from a place in them that the seed picks, at the wanted rate
 * @param trace path of a CSV file whose lines start with a time; for `trace` alone
 * @returns {Float64Array} ascending
 */
export function scheduleOf({ kind, ratePerSecond, seconds, seed, trace }) {
  const count = Math.max(1, Math.round(ratePerSecond * seconds));
  const gaps = gapsOf({ kind, count, random: createRandom(seed), trace });
  // To the wanted rate exactly: otherwise so short a run would be of another load than it says.
  const scale = (seconds * 1000) / gaps.reduce((sum, gap) => sum + gap, 0);
  const times = new Float64Array(count);
  let at = 0;
  for (let index = 0; index < count; index += 1) {
    at += gaps[index] * scale;
    times[index] = at;
  }
  return times;
}

function gapsOf({ kind, count, random, trace }) {
  if (kind === 'poisson') return Float64Array.from({ length: count }, () => -Math.log(1 - random()));
  if (kind === 'gamma') return Float64Array.from({ length: count }, () => gammaOf(GAMMA_SHAPE, random));
  if (kind === 'trace') return traceGaps(trace, count, random);
  throw new Error(`no arrivals '${kind}'; there are poisson, gamma and trace`);
}

/** Coefficient of variation 2: it is one over the shape's square root. */
const GAMMA_SHAPE = 1 / 4;

/** Gamma of mean `shape`: Marsaglia and Tsang, "A simple method for generating gamma variables" (2000). */
function gammaOf(shape, random) {
  if (shape < 1) return gammaOf(shape + 1, random) * (1 - random()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normalOf(random);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random()) < x * x * 0.5 + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** Box and Muller. */
function normalOf(random) {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Gaps between consecutive requests of a recording, starting over at its end. */
function traceGaps(trace, count, random) {
  const times = readFileSync(trace, 'utf8')
    .split('\n')
    .map((line) => Date.parse(`${line.slice(0, 23).replace(' ', 'T')}Z`))
    .filter((time) => Number.isFinite(time));
  if (times.length < 2) throw new Error(`${trace} has no arrivals`);
  const from = Math.floor(random() * times.length);
  return Float64Array.from({ length: count }, (_, index) => {
    const at = (from + index) % (times.length - 1);
    return times[at + 1] - times[at];
  });
}

/** Numbers in [0, 1): mulberry32, 32 bits of state. */
export function createRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

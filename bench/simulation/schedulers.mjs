import { efficientRowsOf } from './profiles.mjs';
import { createBentoml } from './rivals/bentoml.mjs';
import { createClipper } from './rivals/clipper.mjs';
import { createFixed } from './rivals/fixed.mjs';
import { createTriton } from './rivals/triton.mjs';

/**
 * A way to schedule: what it is called on the page, and how it is made on a bench.
 *
 * @typedef {{ label: string, create: (bench: import('./simulate.mjs').Bench) => import('./simulate.mjs').Scheduler }} Setting
 */

/** Parts of a run's time at the pair's size that the grid's windows are. */
const WINDOWS = [0, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1];

/** Parts of the objective that a user who tunes by hand might try. */
const PARTS = [0.25, 0.5, 0.75, 1];

/** What is to be above zero goodput at any load: no batches, nothing refused. */
export function unbatched() {
  return { label: 'one by one', create: (bench) => createFixed(bench, { size: 1 }) };
}

/** Whatever waits is run at once, nothing refused: what the objective is derived from. */
export function greedy(profile) {
  return { label: 'greedy', create: (bench) => createFixed(bench, { size: profile.mostRows }) };
}

/**
 * Every pair of size and window, as it is and with requests dropped that would be late (by the 50th, 90th and 99th
 * percentile of the profile).
 *
 * @returns {Setting[]}
 */
export function fixedGrid(profile) {
  return sizesOf(profile).flatMap((size) =>
    (size === 1 ? [0] : WINDOWS).flatMap((part) =>
      [undefined, 0.5, 0.9, 0.99].map((dropAt) => {
        const windowNs = part * profile.meanNs(size);
        const drop = dropAt === undefined ? '' : `, late ones dropped by p${dropAt * 100}`;
        return {
          label: `${size} rows, ${milliseconds(windowNs)} ms${drop}`,
          create: (bench) => createFixed(bench, { size, windowNs, dropAt }),
        };
      }),
    ),
  );
}

/**
 * The rivals: as documented, with the objective as the only thing that the user says; and what a user could set, from
 * which the best for all loads together is taken after the fact.
 *
 * @returns {Record<string, { documented: Setting, settings: Setting[] }>}
 */
export function rivals(profile, objectiveNs) {
  const { mostRows } = profile;
  const sizes = [mostRows, efficientRowsOf(profile)].filter((size, at, all) => all.indexOf(size) === at);
  const documented = {
    triton: triton({ maxBatchSize: mostRows }),
    bentoml: bentoml({ maxBatchSize: mostRows, maxLatencyNs: objectiveNs }),
    clipper: clipper({ maxBatchSize: mostRows, objectiveNs }),
  };
  const delays = [0, 0.05, 0.15];
  return {
    triton: {
      documented: documented.triton,
      settings: sizes.flatMap((maxBatchSize) =>
        delays.flatMap((delay) =>
          [undefined, ...PARTS].map((part) =>
            triton({
              maxBatchSize,
              maxQueueDelayNs: delay * objectiveNs,
              timeoutNs: part === undefined ? Infinity : part * objectiveNs,
            }),
          ),
        ),
      ),
    },
    bentoml: {
      documented: documented.bentoml,
      settings: sizes.flatMap((maxBatchSize) =>
        PARTS.map((part) => bentoml({ maxBatchSize, maxLatencyNs: part * objectiveNs })),
      ),
    },
    clipper: {
      documented: documented.clipper,
      settings: sizes.flatMap((maxBatchSize) =>
        PARTS.map((part) => clipper({ maxBatchSize, objectiveNs: part * objectiveNs })),
      ),
    },
  };
}

function triton(options) {
  const { maxBatchSize, maxQueueDelayNs = 0, timeoutNs = Infinity } = options;
  const timeout = timeoutNs === Infinity ? '' : `, timeout ${milliseconds(timeoutNs)} ms`;
  return {
    label: `max ${maxBatchSize}, delay ${milliseconds(maxQueueDelayNs)} ms${timeout}`,
    create: (bench) => createTriton(bench, options),
  };
}

function bentoml(options) {
  return {
    label: `max ${options.maxBatchSize}, max_latency_ms ${milliseconds(options.maxLatencyNs)}`,
    create: (bench) => createBentoml(bench, options),
  };
}

function clipper(options) {
  return {
    label: `max ${options.maxBatchSize}, batch objective ${milliseconds(options.objectiveNs)} ms`,
    create: (bench) => createClipper(bench, options),
  };
}

/** Powers of two, the size of the most throughput and the largest. */
function sizesOf(profile) {
  const sizes = new Set([efficientRowsOf(profile), profile.mostRows]);
  for (let size = 1; size < profile.mostRows; size *= 2) sizes.add(size);
  return [...sizes].sort((left, right) => left - right);
}

function milliseconds(ns) {
  return Number((ns / 1e6).toPrecision(3));
}

import { existsSync, readFileSync } from 'node:fs';

/**
 * What a run takes, by its rows.
 *
 * @typedef {object} Profile
 * @property {string} name
 * @property {string} about
 * @property {number} mostRows the largest size that everybody is configured for
 * @property {(rows: number, share: number) => number} quantileNs time that `share` of the runs of that size stay within
 * @property {(rows: number) => number} meanNs
 */

/** Where the measured times are, below the data folder. They are not ours to pass on, so they are not in the checkout. */
const MEASURED = 'latency/ramsis/cpu_latency_ms_by_batch.sampled.json';

/** Intercept and slope in milliseconds: at a ratio of 1, 10 and 100 between what a run and what a row costs. */
const AFFINE = [
  { name: 'affine-1', perRunMs: 2, perRowMs: 2, mostRows: 256 },
  { name: 'affine-10', perRunMs: 5, perRowMs: 0.5, mostRows: 256 },
  { name: 'affine-100', perRunMs: 10, perRowMs: 0.1, mostRows: 256 },
];

/** Mean of the exponential part by which runs of the affine profiles exceed their shortest time. */
const AFFINE_SPREAD = 0.03;

/** @returns {Profile[]} the affine ones, and the measured ones where the data folder is there */
export function loadProfiles(dataFolder) {
  const file = `${dataFolder}/${MEASURED}`;
  const measured = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  return [
    ...Object.entries(measured).map(([name, samples]) => createMeasured(name, samples)),
    ...AFFINE.map(createAffine),
  ];
}

/** @returns {Profile} `perRunMs + perRowMs * rows`, and an exponential tail */
export function createAffine({ name, perRunMs, perRowMs, mostRows }) {
  const shortestNs = (rows) => (perRunMs + perRowMs * rows) * 1e6;
  return {
    name,
    about: `${perRunMs} ms a run and ${perRowMs} ms a row, exponential tail of mean ${AFFINE_SPREAD * 100} %`,
    mostRows,
    quantileNs: (rows, share) =>
      shortestNs(rows) * (1 - AFFINE_SPREAD * Math.log(1 - Math.min(share, 0.9999))),
    meanNs: (rows) => shortestNs(rows) * (1 + AFFINE_SPREAD),
  };
}

/**
 * Times drawn from samples. A size that was not measured lies between its neighbours, quantile by quantile; above the
 * largest one nothing more is gained.
 *
 * @param {Record<string, number[]>} samplesMs by rows
 * @returns {Profile}
 */
export function createMeasured(name, samplesMs) {
  const sizes = Object.keys(samplesMs)
    .map(Number)
    .sort((left, right) => left - right);
  const mostRows = sizes.at(-1);
  const sorted = sizes.map((rows) => Float64Array.from(samplesMs[rows], (ms) => ms * 1e6).sort());
  const means = sorted.map((samples) => samples.reduce((sum, ns) => sum + ns, 0) / samples.length);

  /** By rows, the first size that is not smaller. */
  const aboveOf = Int32Array.from({ length: mostRows + 1 }, (_, rows) =>
    sizes.findIndex((size) => size >= rows),
  );

  function between(rows, valueAt) {
    const above = rows > mostRows ? -1 : aboveOf[rows];
    if (above < 0) return (valueAt(sizes.length - 1) * rows) / mostRows;
    if (sizes[above] === rows || above === 0) return valueAt(above);
    const share = (rows - sizes[above - 1]) / (sizes[above] - sizes[above - 1]);
    return valueAt(above - 1) * (1 - share) + valueAt(above) * share;
  }

  return {
    name,
    about: `measured times, ${sorted.reduce((sum, samples) => sum + samples.length, 0)} samples`,
    mostRows,
    quantileNs: (rows, share) => between(rows, (at) => quantileOf(sorted[at], share)),
    meanNs: (rows) => between(rows, (at) => means[at]),
  };
}

/** Rows a second that `slots` slots come to at the size that is best for it, and that size. */
export function capacityOf(profile, slots) {
  let best = { rows: 1, perSecond: 0 };
  for (let rows = 1; rows <= profile.mostRows; rows += 1) {
    const perSecond = (slots * rows * 1e9) / profile.meanNs(rows);
    if (perSecond > best.perSecond) best = { rows, perSecond };
  }
  return best;
}

/** Fewest rows that come to 98 % of the capacity. */
export function efficientRowsOf(profile) {
  const { perSecond } = capacityOf(profile, 1);
  let rows = 1;
  while ((rows * 1e9) / profile.meanNs(rows) < 0.98 * perSecond) rows += 1;
  return rows;
}

function quantileOf(sorted, share) {
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (at - below);
}

import { createSeededRandom } from '../../dist/base/util/seeded-random.js';
import { timesOf } from './arrivals.mjs';
import { measure } from './measure.mjs';
import { capacityOf } from './profiles.mjs';
import { greedy } from './schedulers.mjs';
import { simulate } from './simulate.mjs';

/** A run takes so many times the objective at least: with large batches all of it would be a dozen runs otherwise. */
const OBJECTIVES = 40;

/** Goodput as a share of what came: pairs this close are equal, and the lower mean latency decides. */
const EQUAL = 0.001;

/**
 * One profile under one kind of arrivals. The objective is twice the p99 that running whatever waits comes to at half
 * load.
 *
 * @typedef {object} Scenario
 * @property {import('./profiles.mjs').Profile} profile
 * @property {import('./arrivals.mjs').Arrivals} arrivals
 * @property {number} slots
 * @property {number} count requests at each load
 * @property {number} seed
 *
 * @param {Scenario} scenario
 */
export async function createTrials({ profile, arrivals, slots, count, seed }) {
  const { perSecond: capacityPerSecond } = capacityOf(profile, slots);

  /** When requests come at a load. `set` 0 are the scenario's own; 1 and more are others of the same kind. */
  function timesAt(load, objectiveNs, set = 0) {
    const perSecond = load * capacityPerSecond;
    const long = Number.isFinite(objectiveNs) ? Math.ceil((OBJECTIVES * objectiveNs * perSecond) / 1e9) : 0;
    const random = createSeededRandom(seed + set);
    return timesOf(arrivals, { perSecond, count: Math.max(count, long), random, set });
  }

  async function trialWithin(objectiveNs, setting, load, set = 0) {
    const timesNs = timesAt(load, objectiveNs, set);
    const scenario = { profile, slots, timesNs, objectiveNs, seed: seed + set };
    return { setting: setting.label, ...measure(await simulate(scenario, setting.create)) };
  }

  const half = await trialWithin(Number.POSITIVE_INFINITY, greedy(profile), 0.5);
  const objectiveNs = 2 * half.p99Ms * 1e6;
  return {
    capacityPerSecond,
    objectiveNs,
    timesAt: (load) => timesAt(load, objectiveNs),
    /** What a setting comes to at a load, on the arrivals of that set. */
    trial: (setting, load, set) => trialWithin(objectiveNs, setting, load, set),
  };
}

/** The most goodput; among equals the lowest mean latency. */
export function bestOf(trials) {
  const most = Math.max(...trials.map(({ goodShare }) => goodShare));
  return trials
    .filter(({ goodShare }) => goodShare >= most - EQUAL)
    .reduce((best, one) => (one.meanMs < best.meanMs ? one : best));
}

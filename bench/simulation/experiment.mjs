import { createSeededRandom } from '../../dist/base/util/seeded-random.js';
import { timesOf } from './arrivals.mjs';
import { fewestLeftOut } from './bound.mjs';
import { countedOf, measure } from './measure.mjs';
import { capacityOf } from './profiles.mjs';
import { fixedGrid, greedy, rivals, unbatched } from './schedulers.mjs';
import { simulate } from './simulate.mjs';

/** Goodput as a share of what came: pairs this close are equal, and the lower mean latency decides. */
const EQUAL = 0.001;
/** A run takes so many times the objective at least: with large batches all of it would be a dozen runs otherwise. */
const OBJECTIVES = 40;
/** Bounds are for loads that could be carried, and are not looked for above this share. */
const BOUND_UP_TO = 0.8;
const BOUND_SHARE = 0.1;

/**
 * One profile under one kind of arrivals, at every load, under every scheduler. The arrivals of a load are the same for
 * all of them. The objective is twice the p99 that running whatever waits comes to at half load.
 *
 * @param {object} scenario
 * @param {import('./profiles.mjs').Profile} scenario.profile
 * @param {import('./arrivals.mjs').Arrivals} scenario.arrivals
 * @param {number} scenario.slots
 * @param {number[]} scenario.loads of the capacity
 * @param {number} scenario.count requests at each load
 * @param {number} scenario.seed
 * @param {(profile: object, objectiveNs: number) => import('./schedulers.mjs').Setting} nimify
 */
export async function runScenario({ profile, arrivals, slots, loads, count, seed }, nimify) {
  const capacity = capacityOf(profile, slots);
  const timesAt = (load, objectiveNs) => {
    const perSecond = load * capacity.perSecond;
    const long = Number.isFinite(objectiveNs) ? Math.ceil((OBJECTIVES * objectiveNs * perSecond) / 1e9) : 0;
    return timesOf(arrivals, { perSecond, count: Math.max(count, long), random: createSeededRandom(seed) });
  };
  const trial = async (setting, load, objectiveNs) => ({
    setting: setting.label,
    ...measure(
      await simulate(
        { profile, slots, timesNs: timesAt(load, objectiveNs), objectiveNs, seed },
        setting.create,
      ),
    ),
  });

  const half = await trial(greedy(profile), 0.5, Number.POSITIVE_INFINITY);
  const objectiveNs = 2 * half.p99Ms * 1e6;
  const runAll = async (setting) => {
    const cells = [];
    for (const load of loads) cells.push(await trial(setting, load, objectiveNs));
    return cells;
  };

  const schedulers = {
    nimify: await runAll(nimify(profile, objectiveNs)),
    'one by one': await runAll(unbatched()),
  };
  for (const [name, { documented, settings }] of Object.entries(rivals(profile, objectiveNs))) {
    schedulers[`${name}, documented`] = await runAll(documented);
    schedulers[`${name}, tuned`] = await bestForAllLoads(settings, runAll, loads);
  }
  const grid = [];
  for (const pair of fixedGrid(profile)) grid.push(await runAll(pair));
  schedulers['best fixed'] = loads.map((_, at) => bestOf(grid.map((cells) => cells[at])));
  const bounds =
    slots > 1
      ? []
      : loads
          .filter((load) => load <= BOUND_UP_TO)
          .map((load) => boundsOf(profile, timesAt(load, objectiveNs), objectiveNs));

  return {
    profile: profile.name,
    arrivals: arrivals.name,
    slots,
    capacityPerSecond: capacity.perSecond,
    objectiveMs: objectiveNs / 1e6,
    loads,
    bounds,
    schedulers,
  };
}

/**
 * The share of those counted that nobody could answer in time, whatever they knew of what is to come: with runs that are all as quick
 * as the quickest of their size, which holds for every scheduler here; and with runs that take what they take on
 * average. Those who do not count are not there.
 */
function boundsOf(profile, timesNs, objectiveNs) {
  const counted = timesNs.slice(...countedOf(timesNs, objectiveNs));
  const least = (runNs) => {
    const how = { objectiveNs, mostRows: profile.mostRows, runNs, most: BOUND_SHARE * counted.length };
    return (fewestLeftOut(counted, how) ?? Number.NaN) / counted.length;
  };
  return { quickest: least((rows) => profile.quantileNs(rows, 0)), mean: least(profile.meanNs) };
}

/** Of settings that hold for all loads, the one of the most goodput over all of them. */
async function bestForAllLoads(settings, runAll, loads) {
  let best;
  for (const setting of settings) {
    const cells = await runAll(setting);
    const goodput = cells.reduce((sum, { goodShare }, at) => sum + goodShare * loads[at], 0);
    if (best === undefined || goodput > best.goodput) best = { goodput, cells };
  }
  return best.cells;
}

/** The most goodput; among equals the lowest mean latency. */
export function bestOf(trials) {
  const most = Math.max(...trials.map(({ goodShare }) => goodShare));
  return trials
    .filter(({ goodShare }) => goodShare >= most - EQUAL)
    .reduce((best, one) => (one.meanMs < best.meanMs ? one : best));
}

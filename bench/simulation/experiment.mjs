import { fewestLeftOut } from './bound.mjs';
import { countedOf } from './measure.mjs';
import { fixedGrid, rivals, unbatched } from './schedulers.mjs';
import { bestOf, createTrials } from './trials.mjs';

/** Bounds are for loads that could be carried, and are not looked for above this share. */
const BOUND_UP_TO = 0.8;
const BOUND_SHARE = 0.1;

/**
 * One profile under one kind of arrivals, at every load, under every scheduler. The arrivals of a load are the same for
 * all of them.
 *
 * @param {import('./trials.mjs').Scenario} scenario
 * @param {number[]} loads of the capacity
 * @param {(profile: object, objectiveNs: number) => import('./schedulers.mjs').Setting} nimify
 */
export async function runScenario(scenario, loads, nimify) {
  const { profile, arrivals, slots } = scenario;
  const { capacityPerSecond, objectiveNs, timesAt, trial } = await createTrials(scenario);
  const runAll = async (setting) => {
    const cells = [];
    for (const load of loads) cells.push(await trial(setting, load));
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
          .map((load) => boundsOf(profile, timesAt(load), objectiveNs));

  return {
    profile: profile.name,
    arrivals: arrivals.name,
    slots,
    capacityPerSecond,
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

import { fixedGrid } from './schedulers.mjs';
import { bestOf, createTrials } from './trials.mjs';
import { missedCells } from './verdicts.mjs';

/** Sets of other arrivals on which a pair is chosen. */
const OTHERS = 5;
/** Files have six digits. */
const SAME = 1e-5;

/**
 * How much of what was missed is luck: the pair that the batcher is held against was chosen on the very arrivals that
 * it is judged by, of some hundred the one that they suit best. So for each load at which the batcher is not within
 * the bar, the best pair is chosen on other arrivals of the same kind, and these pairs run on the arrivals of the
 * scenario: what someone would come to who knows the load and the profile and tunes for them, but not what comes
 * when. And the batcher runs on the other sets, too, each time beside the pair chosen in hindsight on that set: one set
 * of a trace is a few surges, of which another is as typical.
 *
 * @typedef {object} Beforehand one load and measure at which the bar was missed
 * @property {'goodput' | 'latency'} of
 * @property {number} load
 * @property {number} ours ratio to the pair chosen in hindsight
 * @property {string} setting that pair
 * @property {{ setting: string, ratio: number, ours: number }[]} others the pairs chosen on other arrivals, and what they
 *   come to beside it; `ours` is the batcher's ratio to that pair on those other arrivals
 *
 * @param {import('./trials.mjs').Scenario} scenario
 * @param {(profile: object, objectiveNs: number) => import('./schedulers.mjs').Setting} nimify
 * @param {Awaited<ReturnType<typeof import('./experiment.mjs').runScenario>>} result
 * @returns {Promise<Beforehand[]>} for each of `missedCells(result)`
 * @throws where the result is not of these arrivals
 */
export async function measureHindsight(scenario, nimify, result) {
  const missed = missedCells(result);
  if (missed.length === 0) return [];
  const trials = await createTrials(scenario);
  const grid = fixedGrid(scenario.profile);
  const batcher = nimify(scenario.profile, trials.objectiveNs);
  const measured = [];
  for (const { of, load, ours } of missed) {
    const best = result.schedulers['best fixed'][result.loads.indexOf(load)];
    const onThese = (label) => trials.trial(settingOf(grid, label), load, 0);
    refuseUnlessSame(await onThese(best.setting), best, result);
    const others = [];
    for (let set = 1; set <= OTHERS; set += 1) {
      const cells = [];
      for (const pair of grid) cells.push(await trials.trial(pair, load, set));
      const chosen = bestOf(cells);
      others.push({
        setting: chosen.setting,
        ratio: ratioOf(of, await onThese(chosen.setting), best),
        ours: ratioOf(of, await trials.trial(batcher, load, set), chosen),
      });
    }
    measured.push({ of, load, ours, setting: best.setting, others });
  }
  return measured;
}

function ratioOf(of, cell, best) {
  return of === 'goodput' ? cell.goodShare / best.goodShare : cell.meanMs / best.meanMs;
}

function settingOf(grid, label) {
  const setting = grid.find((one) => one.label === label);
  if (setting === undefined) throw new Error(`the grid has no "${label}"`);
  return setting;
}

/** What is read from a file may be of an older simulation. */
function refuseUnlessSame(now, then, { profile, arrivals }) {
  for (const field of ['goodShare', 'meanMs']) {
    if (Math.abs(now[field] / then[field] - 1) < SAME) continue;
    throw new Error(
      `${profile}, ${arrivals}: ${then.setting} comes to ${field} ${now[field]} now, and came to ${then[field]}: the simulation has changed since`,
    );
  }
}

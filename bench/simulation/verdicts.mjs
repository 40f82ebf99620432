/** What the batcher is held to, beside the best fixed pair of the same load. */
const WITHIN = 0.05;
/** Goodput as a share of what came: below this difference nobody has more. */
const TIE = 0.005;
/** Up to this load, and while everybody is in time, latency is what counts. */
const LIGHT = 0.8;
/** Of requests, below capacity: more are not to be refused. */
const REFUSED_SHARE = 0.001;

/**
 * For each scenario what became of the bars: goodput and, under light load, mean latency beside the best fixed pair,
 * and goodput beside each rival.
 *
 * @param {Awaited<ReturnType<typeof import('./experiment.mjs').runScenario>>[]} scenarios
 */
export function judge(scenarios) {
  return scenarios.map(({ profile, arrivals, slots, loads, bounds, schedulers }) => {
    const { nimify, 'best fixed': best, ...others } = schedulers;
    const goodputs = loads.map((_, at) => nimify[at].goodShare / best[at].goodShare);
    const latencies = loads
      .map((load, at) => ({ load, ratio: nimify[at].meanMs / best[at].meanMs, good: best[at].goodShare }))
      .filter(({ load, good }) => load <= LIGHT && good >= 1 - TIE);
    const peak = Math.max(...loads.map((load, at) => nimify[at].goodShare * load));
    /** Refused, given up or late: ours, of the best pair, and what nobody can do without. */
    const missedAt = (at) =>
      at < 0
        ? undefined
        : {
            ...{ load: loads[at], ours: 1 - nimify[at].goodShare, refused: nimify[at].refusedShare },
            ...{ best: 1 - best[at].goodShare, bounds: bounds[at] },
          };
    return {
      ...{ profile, arrivals, slots },
      worstGoodput: worstOf(loads, goodputs, Math.min),
      worstLatency: worstOf(
        latencies.map(({ load }) => load),
        latencies.map(({ ratio }) => ratio),
        Math.max,
      ),
      loadsWithin: goodputs.filter((ratio) => ratio >= 1 - WITHIN).length,
      loadsWithinLatency: latencies.filter(({ ratio }) => ratio <= 1 + WITHIN).length,
      loadsOfLatency: latencies.length,
      // At the heaviest load, of the most at any load.
      keptAtWorst: (nimify.at(-1).goodShare * loads.at(-1)) / peak,
      missedAtLight: missedAt(loads.findLastIndex((load) => load <= LIGHT)),
      rivals: Object.fromEntries(
        Object.entries(others).map(([name, cells]) => [name, compare(loads, nimify, cells)]),
      ),
    };
  });
}

/** Goodput and latency are those of the best pair at every load, or nearly. */
export function isWithin({ worstGoodput, worstLatency }) {
  const isQuick = worstLatency === undefined || worstLatency.value <= 1 + WITHIN;
  return worstGoodput.value >= 1 - WITHIN && isQuick;
}

/**
 * What became of the bar of refusals below capacity, with the least that nobody can do without beside it.
 *
 * @returns {'met' | 'impossible' | 'impossible on average' | 'missed by all' | 'missed'}
 */
export function holdsBelowCapacity({ ours, best, bounds }) {
  if (ours <= REFUSED_SHARE) return 'met';
  if (bounds.quickest > REFUSED_SHARE) return 'impossible';
  if (bounds.mean > REFUSED_SHARE) return 'impossible on average';
  return best > REFUSED_SHARE ? 'missed by all' : 'missed';
}

/** Where we have more goodput than a rival, where less, and all loads together. */
function compare(loads, ours, theirs) {
  const differences = loads.map((_, at) => ours[at].goodShare - theirs[at].goodShare);
  const sum = (cells) => cells.reduce((total, { goodShare }, at) => total + goodShare * loads[at], 0);
  return {
    more: differences.filter((difference) => difference > TIE).length,
    less: differences.filter((difference) => difference < -TIE).length,
    lessAt: loads.filter((_, at) => differences[at] < -TIE),
    worst: Math.min(...differences),
    overAll: sum(ours) / sum(theirs),
  };
}

function worstOf(loads, values, pick) {
  if (values.length === 0) return undefined;
  const value = pick(...values);
  return { value, load: loads[values.indexOf(value)] };
}

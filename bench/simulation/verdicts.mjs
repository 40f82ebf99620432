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
 * @param {(Awaited<ReturnType<typeof import('./experiment.mjs').runScenario>> & { beforehand?: import('./hindsight.mjs').Beforehand[] })[]} scenarios
 */
export function judge(scenarios) {
  return scenarios.map(({ profile, arrivals, slots, loads, bounds, schedulers, beforehand = [] }) => {
    const { nimify, 'best fixed': best, ...others } = schedulers;
    const { goodputs, latencies } = ratiosOf({ loads, schedulers });
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
      verdict: verdictOf({ goodputs, latencies }, beforehand),
      worstGoodput: worstOf(goodputs, Math.min),
      worstLatency: worstOf(latencies, Math.max),
      loadsWithin: goodputs.filter(isGoodputWithin).length,
      loadsWithinLatency: latencies.filter(isLatencyWithin).length,
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

/** The loads at which the batcher is not within the bar, and by what; `ours` is its ratio to the best pair. */
export function missedCells(scenario) {
  const { goodputs, latencies } = ratiosOf(scenario);
  const cellOf = (of) => (one) => ({ of, load: one.load, ours: one.value });
  return [
    ...goodputs.filter((one) => !isGoodputWithin(one)).map(cellOf('goodput')),
    ...latencies.filter((one) => !isLatencyWithin(one)).map(cellOf('latency')),
  ];
}

/**
 * Goodput and latency are those of the best pair at every load, or nearly; or where they are not, they are at the median
 * of these and other arrivals, or no worse than what pairs come to, at the median, that were found on others. Nothing is
 * measured of a scenario that met the bar.
 */
function verdictOf({ goodputs, latencies }, beforehand) {
  if (goodputs.every(isGoodputWithin) && latencies.every(isLatencyWithin)) return 'met';
  if (beforehand.length === 0) return 'missed';
  if (beforehand.every(isMetAtMedian)) return 'at the median of six sets';
  const isAsGood = beforehand.every((cell) => isMetAtMedian(cell) || isAsGoodAsPairs(cell));
  return isAsGood ? 'as good as pairs found beforehand' : 'missed';
}

/** Results that were written before other sets were run for it have no `ours`, and a NaN is within nothing. */
function isMetAtMedian(cell) {
  const value = medianOfSets(cell);
  return cell.of === 'goodput' ? isGoodputWithin({ value }) : isLatencyWithin({ value });
}

/** Our ratio to the pair chosen in hindsight, on the scenario's own arrivals and on the other sets. */
export function medianOfSets({ ours, others }) {
  return medianOf([ours, ...others.map((other) => other.ours ?? Number.NaN)]);
}

function isAsGoodAsPairs(cell) {
  const { median } = spreadOf(cell);
  return cell.of === 'goodput' ? cell.ours >= median : cell.ours <= median;
}

/**
 * What the pairs found beforehand come to, beside the one chosen in hindsight.
 *
 * @param {import('./hindsight.mjs').Beforehand} cell
 */
export function spreadOf({ of, others }) {
  const ratios = others.map(({ ratio }) => ratio);
  const worst = of === 'goodput' ? Math.min(...ratios) : Math.max(...ratios);
  return { median: medianOf(ratios), worst };
}

function medianOf(values) {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
}

/** Ours over that of the best pair: goodput at every load, mean latency where that is what counts. */
function ratiosOf({ loads, schedulers: { nimify, 'best fixed': best } }) {
  const ratioAt = (field) => (load, at) => ({ load, value: nimify[at][field] / best[at][field] });
  const goodputs = loads.map(ratioAt('goodShare'));
  const latencies = loads.map(ratioAt('meanMs'));
  return {
    goodputs,
    latencies: latencies.filter(({ load }, at) => load <= LIGHT && best[at].goodShare >= 1 - TIE),
  };
}

function isGoodputWithin({ value }) {
  return value >= 1 - WITHIN;
}

function isLatencyWithin({ value }) {
  return value <= 1 + WITHIN;
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

function worstOf(ratios, pick) {
  if (ratios.length === 0) return undefined;
  const value = pick(...ratios.map((one) => one.value));
  return ratios.find((one) => Object.is(one.value, value));
}

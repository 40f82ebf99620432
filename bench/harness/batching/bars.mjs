import { median, ratios, summarize } from '../statistics.mjs';

/** Of the issue that batching was built for; see docs/performance.md. */
const ADDED_P50_MS = 0.3;
const NEAR_BEST = 0.95;
const GOODPUT_SHARE = 0.9;
const REFUSAL_MS = 5;
const REFUSED_SHARE = 0.001;
/** Of the peak, with 256 requests in flight: what a tiny model must keep. */
const NO_COLLAPSE = 0.8;
const OURS = ['nimify', 'nimify-again', 'nimify-unbatched'];

/** The bars of the suite `batching`, each with what was measured. */
export function judgeBatchingBars({ models, runs }) {
  return models.flatMap((model) => {
    const of = (server, wanted) =>
      runs.filter(
        (run) =>
          run.model === model.name &&
          run.server === server &&
          Object.entries(wanted).every(([field, value]) => run[field] === value),
      );
    return [
      ...lowLoadBars(model, of),
      ...bestPairBars(model, runs, of),
      ...overloadBars(model, of),
      ...belowCapacityBars(model, runs, of),
    ];
  });
}

function lowLoadBars({ name }, of) {
  const low = { scenario: 'grid', share: 0.2 };
  const theirs = of('nimify-unbatched', low);
  const added = of('nimify', low).flatMap(({ round, p50Us }) =>
    theirs.filter((run) => run.round === round).map((run) => (p50Us - run.p50Us) / 1000),
  );
  return [judge(`${name}, 20 %: added to the p50 of --batching off`, 'ms', '<=', ADDED_P50_MS, added)];
}

/** What is compared at a load: throughput with requests in flight, time at a rate. */
const COMPARED = [
  { wanted: { scenario: 'grid', connections: 64 }, field: 'perSecond', label: '64 in flight: requests/s' },
  { wanted: { scenario: 'grid', share: 0.2 }, field: 'meanUs', label: '20 %: mean time' },
  { wanted: { scenario: 'grid', share: 0.8 }, field: 'meanUs', label: '80 %: mean time' },
];

function bestPairBars({ name }, runs, of) {
  const pairs = pairsOf(name, runs, 'grid');
  return COMPARED.map(({ wanted, field, label }) => {
    const isMore = field === 'perSecond';
    const what = (server) => of(server, wanted).map((run) => run[field]);
    const better = (a, b) => (isMore ? median(what(b)) - median(what(a)) : median(what(a)) - median(what(b)));
    const measured = pairs.filter((server) => what(server).length > 0);
    const [best] = measured.sort(better);
    const times = best === undefined ? [] : ratios(what('nimify'), what(best));
    // Above 1 is better than the best pair, whichever way it is measured.
    const shares = isMore ? times : times.map((ratio) => 1 / ratio);
    const noise = noiseBetween(what('nimify'), what('nimify-again'));
    const bar = Math.min(NEAR_BEST, 1 / (noise ?? 1));
    return judge(
      `${name}, ${label}, as good as the best pair${best === undefined ? '' : ` (${best})`}; the bar allows for the A/A run`,
      'x',
      '>=',
      Number(bar.toFixed(2)),
      shares,
    );
  });
}

function overloadBars({ name, peaks, objectiveMs }, of) {
  const mine = of('nimify', { scenario: 'overload' });
  if (mine.length === 0) {
    const at256 = of('nimify', { scenario: 'closed', connections: 256 });
    const shares = at256.map((run) => run.perSecond / peaks.nimify);
    return [judge(`${name}, 256 in flight: share of the peak`, 'x', '>=', NO_COLLAPSE, shares)];
  }
  const values = (toValue) => mine.map(toValue);
  const beside = of('nimify', { scenario: 'peak' });
  const peakOf = ({ round }) => beside.find((run) => run.round === round)?.perSecond ?? peaks.nimify;
  return [
    judge(
      `${name}, 300 %: goodput, share of the throughput with 64 in flight just before`,
      'x',
      '>=',
      GOODPUT_SHARE,
      values((run) => run.goodPerSecond[0] / peakOf(run)),
    ),
    judge(
      `${name}, 300 %: p99 of what was accepted, share of the objective`,
      'x',
      '<=',
      1,
      values((run) => run.p99Us / 1000 / objectiveMs),
    ),
    judge(
      `${name}, 300 %: time to a refusal, p99${besideRefusals(of)}`,
      'ms',
      '<',
      REFUSAL_MS,
      values((run) => run.refusalP99Us / 1000),
    ),
  ];
}

/** Of a bare socket beside the engine on the same core, under the same arrivals: what the machine allows. */
function besideRefusals(of) {
  const floor = of('floor-refusals', { scenario: 'overload' }).map((run) => run.refusalP99Us / 1000);
  return floor.length === 0 ? '' : ` (of a bare socket beside the busy engine ${toText(median(floor))} ms)`;
}

/**
 * Beside it what the best fixed pair came to on the same arrivals, and what nobody could do without. Late answers
 * count there: a pair whose forecast is no good is not to look better for it.
 */
function belowCapacityBars({ name, leastMissedShares = [], engineAlone = [] }, runs, of) {
  const wanted = { scenario: 'refusals' };
  const percents = (server, toShare) => of(server, wanted).map((run) => toShare(run) * 100);
  const refused = percents('nimify', (run) => run.refusedShare + run.expiredShare);
  const pairs = pairsOf(name, runs, 'refusals').map((server) => ({
    server,
    missed: median(percents(server, missedShareOf)),
  }));
  const [best] = pairs.sort((one, other) => one.missed - other.missed);
  const bar = judge(`${name}, 80 %: refused or expired`, '%', '<=', REFUSED_SHARE * 100, refused);
  if (best === undefined || refused.length === 0) return [bar];
  const ours = median(percents('nimify', missedShareOf));
  const beside = [
    `not in time ${toText(ours)} %`,
    `of the best pair (${best.server}) ${toText(best.missed)} %`,
  ];
  if (leastMissedShares.length > 0)
    beside.push(`of nobody less than ${toText(median(leastMissedShares) * 100)} %`);
  if (engineAlone.length > 0) {
    const shares = engineAlone.map(({ missedShare }) => missedShare);
    beside.push(`of the bare engine without a server ${toText(median(shares) * 100)} %`);
  }
  return [{ ...bar, what: `${bar.what} (${beside.join(', ')})` }];
}

/** Refused, expired, not answered at all or after the objective. */
export function missedShareOf({ due, durationUs, goodPerSecond: [good] }) {
  return 1 - (good * durationUs) / 1e6 / due;
}

function toText(value) {
  return value.toFixed(2);
}

/** The fixed pairs and unbatched, as far as they were measured in that scenario. */
function pairsOf(name, runs, scenario) {
  const theirs = runs.filter(
    (run) => run.model === name && run.scenario === scenario && !OURS.slice(0, 2).includes(run.server),
  );
  return [...new Set(theirs.map((run) => run.server))];
}

function judge(what, unit, sign, bar, values) {
  const wanted = { what, unit, bar: `${sign} ${bar}` };
  if (values.length === 0 || values.some((value) => !Number.isFinite(value))) {
    return { ...wanted, verdict: 'not measured' };
  }
  const measured = summarize(values);
  const isMet = { '>=': measured.median >= bar, '<=': measured.median <= bar, '<': measured.median < bar }[
    sign
  ];
  return { ...wanted, measured, verdict: isMet ? 'met' : 'missed' };
}

/** By which factor two runs of the same server differ, the median of their rounds. */
function noiseBetween(ones, others) {
  const both = ratios(ones, others).filter(Number.isFinite);
  return both.length === 0 ? undefined : Math.exp(Math.abs(Math.log(median(both))));
}

/** By how much nimify and nimify-again differ, over all loads: in throughput in flight, in mean time at a rate. */
export function noiseOfBatching(runs) {
  const keys = new Map();
  for (const run of runs) {
    if (run.server !== 'nimify' && run.server !== 'nimify-again') continue;
    const key = `${run.model} ${run.scenario} ${run.connections} ${run.arrivals} ${run.share}`;
    const pair = keys.get(key) ?? { nimify: [], 'nimify-again': [] };
    pair[run.server].push(run.connections === undefined ? run.meanUs : run.perSecond);
    keys.set(key, pair);
  }
  const differences = [...keys.values()]
    .map((pair) => noiseBetween(pair.nimify, pair['nimify-again']))
    .filter((value) => value !== undefined);
  return differences.length === 0
    ? undefined
    : { usual: median(differences), largest: Math.max(...differences), scenarios: differences.length };
}

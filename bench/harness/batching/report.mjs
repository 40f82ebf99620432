import { number, percent, spread, table } from '../markdown.mjs';
import { renderBars, renderHead, renderMethod } from '../report.mjs';
import { median, summarize } from '../statistics.mjs';
import { missedShareOf } from './bars.mjs';

/** The results of the suite `batching` as a page. */
export function renderBatching(results, suite) {
  const { label, date, noise, bars, machine, models } = results;
  return [
    `# Batching, ${date}, ${label}`,
    renderHead(results),
    '## Bars',
    renderBars(bars),
    noise === undefined
      ? ''
      : `nimify measured twice (nimify and nimify-again, ${noise.scenarios} loads) differs by a factor of ${noise.usual.toFixed(2)} usually and ${noise.largest.toFixed(2)} at most.`,
    ...models.map((model) => renderModel(model, results)),
    '## How it was measured',
    renderMethod(results, machine, suite),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n');
}

function renderModel(model, { runs }) {
  const mine = runs.filter((run) => run.model === model.name);
  const section = (title, scenario, columns) => {
    const rows = rowsOf(
      mine.filter((run) => run.scenario === scenario),
      columns,
    );
    return rows.length === 0
      ? []
      : [
          `### ${model.name}: ${title}`,
          table(
            columns.map(([head]) => head),
            rows,
          ),
        ];
  };
  return [
    `## ${model.name}`,
    [
      `${model.about}; the bare engine takes ${number(model.bareRunUs)} µs a run.`,
      model.objectiveMs === undefined ? '' : `Objective ${number(model.objectiveMs)} ms.`,
    ].join(' '),
    ...section('requests in flight', 'closed', [
      ['in flight', ({ connections }) => connections],
      ...COMMON,
      ['wrk, of its core', share('loadShare')],
    ]),
    ...section('at a rate', 'open', [
      ['arrivals', ({ arrivals }) => arrivals],
      ['of the peak', (run) => `${Math.round(run.share * 100)} %`],
      ['offered/s', value('offeredPerSecond')],
      ...COMMON,
      ['within objective/s', value('good')],
      ['refused', share('refusedShare')],
      ['expired', share('expiredShare')],
      ['client, of its core', share('loadShare')],
    ]),
    ...section('refused below capacity', 'refusals', [
      ['of the peak', (run) => `${Math.round(run.share * 100)} %`],
      ['requests', value('due')],
      ...COMMON,
      ['refused', share('refusedShare')],
      ['expired', share('expiredShare')],
      ['not in time', (run) => percent(missedShareOf({ ...run, goodPerSecond: [run.good] }))],
    ]),
    ...leastMissedOf(model),
    ...engineAloneOf(model),
    ...section('64 in flight before each overload', 'peak', [
      ['in flight', ({ connections }) => connections],
      ...COMMON,
    ]),
    ...section('three times the peak', 'overload', [
      ['offered/s', value('offeredPerSecond')],
      ...COMMON,
      ['within objective/s', value('good')],
      ['of the peak', (run) => percent(run.good / model.peaks[run.server])],
      ['own objective ms', (run) => number(model.ownObjectivesMs?.[run.server])],
      ['within own/s', value('ownGood')],
      ['refused', share('refusedShare')],
      ['expired', share('expiredShare')],
      ['refusal p50 ms', milliseconds('refusalP50Us')],
      ['refusal p99 ms', milliseconds('refusalP99Us')],
      ['unanswered', value('unanswered')],
    ]),
    ...section('fixed sizes and windows', 'grid', [
      ['load', loadLabel],
      ...COMMON,
      ['mean ms', milliseconds('meanUs')],
    ]),
  ].join('\n\n');
}

function leastMissedOf({ name, leastMissedShares = [] }) {
  if (leastMissedShares.length === 0) return [];
  const least = percent(median(leastMissedShares));
  return [
    `${name}: on these arrivals ${least} could not have been in time with any order and size of runs, if none of n rows takes less than n requests at nimify's peak, nor less than the bare engine takes for one.`,
  ];
}

/** Of the middle round. */
function engineAloneOf({ name, engineAlone = [] }) {
  if (engineAlone.length === 0) return [];
  const ordered = [...engineAlone].sort((one, other) => one.missedShare - other.missedShare);
  const { most, missedShare, busyShare } = ordered[(ordered.length - 1) >> 1];
  return [
    `${name}: the bare engine, fed with these arrivals on the same core without any server, left out or was late with ${percent(missedShare)} (runs of at most ${most} rows, the best of those tried), and was busy for ${percent(busyShare)} of the time.`,
  ];
}

const COMMON = [
  ['server', ({ server }) => server],
  ['requests/s', (run) => spread(run.spreadPerSecond)],
  ['p50 ms', milliseconds('p50Us')],
  ['p99 ms', milliseconds('p99Us')],
  ['CPU µs a request', value('cpuUsPerRequest')],
];

/** A row for each load and server: medians of the rounds. */
function rowsOf(runs, columns) {
  const groups = new Map();
  for (const run of runs) {
    const key = `${loadLabel(run)} ${run.server}`;
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  return [...groups.values()].map((rounds) => {
    const row = mergeRounds(rounds);
    const failed = rounds.reduce((sum, run) => sum + run.failed, 0);
    const cells = columns.map(([, toCell]) => toCell(row));
    if (failed > 0) cells[cells.length - 1] += ` **${failed} failed**`;
    return cells;
  });
}

function mergeRounds(rounds) {
  const merged = { ...rounds[0], spreadPerSecond: summarize(rounds.map((run) => run.perSecond)) };
  for (const field of Object.keys(merged)) {
    if (typeof merged[field] === 'number') merged[field] = median(rounds.map((run) => run[field]));
  }
  const good = (at) => median(rounds.map((run) => run.goodPerSecond?.[at] ?? Number.NaN));
  return { ...merged, good: good(0), ownGood: good(1) };
}

function loadLabel({ connections, arrivals, share: part }) {
  return connections === undefined ? `${arrivals} ${Math.round(part * 100)} %` : `${connections} in flight`;
}

function value(field) {
  return (run) => number(run[field]);
}

function milliseconds(field) {
  return (run) => number(run[field] / 1000);
}

function share(field) {
  return (run) => percent(run[field]);
}

import { holdsBelowCapacity, medianOfSets, spreadOf } from './verdicts.mjs';

/** What the page shows; the file beside it has everything. */
const SHOWN_LOADS = [0.25, 0.8, 1, 1.5, 3];
const SHOWN_ARRIVALS = ['poisson', 'azure-conv'];

const REFUSALS = {
  met: 'met',
  impossible: 'cannot be met',
  'impossible on average': 'cannot be met with mean runs',
  'missed by all': 'missed, by the best pair too',
  missed: '**missed**',
};
const MISSED =
  'The bar: <= 0.1 % refused at 80 % load, with the objective of twice the p99 at half load. The share of requests that were not answered in time, that is refused, given up or late; and the least that anybody comes to who knows all arrivals beforehand, with runs that take what they take on average, and with runs that are all as quick as the quickest of their size. The latter holds for every scheduler. Where batches gain nothing and runs always take the same, these are the numbers of M/D/1: p99 at half load is 4.3 service times, so the objective is 8.6; at 80 % load 3.5 % wait longer, and who refuses exactly those who would be late still refuses 0.72 %.';

const BEFOREHAND =
  "The pair is chosen in hindsight, on the very arrivals that it is then judged by: of some hundred the one that they suit best. So where the bar was missed, the best pair was chosen on five sets of other arrivals of the same kind and load, with other seeds, or from other places in the trace (one that is shorter than a run is the same, turned, with other times of runs); and these pairs ran on the arrivals of the table above. The ratios are to the pair of hindsight, of nimify, and of the five the median and the worst; and how many of the five are that very pair. And nimify ran on the other five sets too, beside the pair that is best on each of them in hindsight: one set of a trace is a few surges, and the same batcher comes to some percent more or less on another. At the median of six sets: at each of these loads ours, at the median of the scenario's set and the five, is within the bar. As good as pairs found beforehand: at each of these loads ours is not worse than that median.";

/** The page of a simulation: what became of the bars, then the numbers. */
export function renderReport({ scenarios, verdicts, machine, args, seed, count, profiles, arrivals }) {
  const parts = [
    '# The batcher in simulation',
    [
      `Node ${machine.node}, commit ${machine.commit?.slice(0, 12) ?? 'unknown'}${machine.uncommitted ? ' with uncommitted changes' : ''}; \`npm run simulate${args.length === 0 ? '' : ` -- ${args.join(' ')}`}\`, seed ${seed}.`,
      'Time is virtual, so the machine does not matter: the same commit and seed give the same numbers.',
    ].join('\n'),
    '## Beside the best fixed pair of size and window',
    'The best pair of each load, found by trying all of them on the same arrivals, with those that drop late requests by knowing the profile. Goodput: the smallest ratio to it at any load (bar: 0.95). Latency: the largest ratio of mean latencies up to 80 % load where all are in time (bar: 1.05). Kept: goodput at the heaviest load over the most at any load (bar: 0.90).',
    renderFixed(verdicts),
    ...renderBeforehand(scenarios),
    '## Who is not answered in time below capacity',
    MISSED,
    renderMissed(verdicts),
    '## Beside the rivals',
    'Goodput within the objective over all loads together, ours over theirs; in brackets at how many loads we have more, and at how many less, by more than 0.5 % of what came. "Documented" is told the objective and nothing else, Triton not even that, since its default has no timeout; "tuned" is the best of a grid of settings for all loads together, chosen after the fact on the same arrivals.',
    renderRivals(verdicts),
    '## Numbers',
    'Goodput is the share of requests answered within the objective, of all that came; given up are those of the refused who were not refused at once. Some scenarios and loads; the file beside this page has all.',
    ...shown(scenarios).map(renderScenario),
    '## How',
    renderMethod({ count, profiles, arrivals }),
  ];
  return `${parts.join('\n\n')}\n`;
}

function shown(scenarios) {
  const some = scenarios.filter(({ arrivals, slots }) => SHOWN_ARRIVALS.includes(arrivals) && slots === 1);
  return some.length === 0 ? scenarios : some;
}

function renderFixed(verdicts) {
  const rows = verdicts.map((one) => [
    one.profile,
    one.arrivals,
    one.slots,
    at(one.worstGoodput),
    at(one.worstLatency),
    one.keptAtWorst.toFixed(2),
    one.verdict === 'missed' ? '**missed**' : one.verdict,
  ]);
  const head = ['profile', 'arrivals', 'slots', 'goodput', 'latency', 'kept', 'both within 5 %'];
  return table(head, rows);
}

/** Nothing where nothing was missed. */
function renderBeforehand(scenarios) {
  const rows = scenarios.flatMap(({ profile, arrivals, slots, beforehand = [] }) =>
    beforehand.map((cell) => {
      const { median, worst } = spreadOf(cell);
      return [
        ...[profile, arrivals, slots, percent(cell.load, 0), cell.of],
        ...[cell.ours, medianOfSets(cell), median, worst].map((value) => value.toFixed(3)),
        `${cell.others.filter(({ setting }) => setting === cell.setting).length} of ${cell.others.length}`,
      ];
    }),
  );
  if (rows.length === 0) return [];
  const head = [
    ...['profile', 'arrivals', 'slots', 'load', 'of', 'nimify', 'of six sets, median'],
    ...['found beforehand, median', 'worst', 'the same pair'],
  ];
  return ['### How much of it is luck', BEFOREHAND, table(head, rows)];
}

/** With one slot, for which the bounds are exact. */
function renderMissed(verdicts) {
  const rows = verdicts
    .filter(({ missedAtLight }) => missedAtLight?.bounds !== undefined)
    .map(({ profile, arrivals, missedAtLight: { load, ours, refused, best, bounds } }) => [
      profile,
      arrivals,
      percent(load, 0),
      ...[ours, refused, best, bounds.mean, bounds.quickest].map((share) => percent(share, 2)),
      REFUSALS[holdsBelowCapacity({ ours, best, bounds })],
    ]);
  return table(
    [
      'profile',
      'arrivals',
      'load',
      'nimify',
      'of these refused',
      'best pair',
      'knowing all, mean runs',
      'knowing all, quickest runs',
      '<= 0.1 %',
    ],
    rows,
  );
}

function renderRivals(verdicts) {
  const names = Object.keys(verdicts[0]?.rivals ?? {});
  const rows = verdicts.map((one) => [
    one.profile,
    one.arrivals,
    one.slots,
    ...names.map((name) => {
      const { overAll, more, less } = one.rivals[name];
      return `${ratio(overAll)} (${more}, ${less})`;
    }),
  ]);
  return table(['profile', 'arrivals', 'slots', ...names], rows);
}

function renderScenario({ profile, arrivals, slots, capacityPerSecond, objectiveMs, loads, schedulers }) {
  const rows = loads
    .filter((load) => loads.length <= SHOWN_LOADS.length || SHOWN_LOADS.includes(load))
    .flatMap((load) =>
      Object.entries(schedulers).map(([name, cells]) => {
        const cell = cells[loads.indexOf(load)];
        return [
          percent(load, 0),
          name,
          percent(cell.goodShare),
          percent(cell.refusedShare),
          percent(cell.givenUpShare),
          number(cell.p50Ms),
          number(cell.p99Ms),
          number(cell.meanMs),
          number(cell.meanBatch),
          ['nimify', 'one by one'].includes(name) ? '' : cell.setting,
        ];
      }),
    );
  return [
    `### ${profile}, ${arrivals}, ${slots} ${slots === 1 ? 'slot' : 'slots'}`,
    `Capacity ${number(capacityPerSecond)} rows/s, objective ${number(objectiveMs)} ms.`,
    table(
      [
        'load',
        'scheduler',
        'goodput',
        'refused',
        'given up',
        'p50 ms',
        'p99 ms',
        'mean ms',
        'mean batch',
        'setting',
      ],
      rows,
    ),
  ].join('\n\n');
}

function renderMethod({ count, profiles, arrivals }) {
  return [
    `${count.toLocaleString('en')} requests of one row at each load, or as many as come in 40 times the objective if that is more; a trace that is shorter is gone through again. The first tenth is not counted, nor who came within the objective of the end, when nobody came after them. Loads are shares of the capacity: the rows per second of the best batch size. p50, p99 and mean are of requests that were answered, late ones among them.`,
    'The objective is twice the p99 that running whatever waits comes to at half load, under the same kind of arrivals. It is the deadline of every request.',
    'nimify is the very code of `src/policy/batching`, on a virtual clock, around a model whose runs take the drawn time. It starts with the samples that its warm-up would take. As many may wait as there is time for, as with all others; by default it would be 1024. Timers are exact, for nimify as for all others; those of Node are a millisecond.',
    'The n-th run of each scheduler is equally lucky. What a scheduler itself costs is not counted, for none of them.',
    'one by one: no batches, nothing refused. Triton: preferred sizes, max_queue_delay_microseconds, queue timeout with REJECT. BentoML: the regression and the rule to wait of its dispatcher (1.4), max_latency_ms. Clipper: additive increase by one, decrease by 10 %, requests past their deadline not run.',
    ...profiles.map(({ name, about }) => `${name}: ${about}.`),
    ...arrivals.map(({ name, about }) => `${name}: ${about}.`),
  ]
    .map((line) => `- ${line}`)
    .join('\n');
}

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function at(worst) {
  return worst === undefined ? '' : `${worst.value.toFixed(3)} at ${percent(worst.load, 0)}`;
}

function ratio(value) {
  return value > 100 ? '> 100' : value.toFixed(2);
}

function percent(share, digits = 1) {
  return share === undefined ? '' : `${(share * 100).toFixed(digits)} %`;
}

function number(value) {
  if (!Number.isFinite(value)) return '-';
  return value >= 1000 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}

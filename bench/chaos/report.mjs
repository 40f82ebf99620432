import { number, table } from '../harness/markdown.mjs';

/** The page of a run: each fault with policies, beside it without, and what became of the bars. */
export function renderReport(results) {
  const { machine, args, seed, form, rows, soak } = results;
  const { cpu, cores, node, commit, uncommitted } = machine;
  return `${[
    '# Faults',
    [
      `${cpu}, ${cores} cores, Node ${node}, commit ${commit?.slice(0, 12) ?? 'unknown'}${uncommitted ? ' with uncommitted changes' : ''};`,
      `\`npm run chaos${args.length === 0 ? '' : ` -- ${args.join(' ')}`}\`, seed ${seed}, ${form} form. The load and the server shared all cores.`,
    ].join('\n'),
    '## What it was to come to',
    renderBars(rows),
    '## What came',
    renderRows(rows.filter(({ policies }) => policies !== 'off')),
    ...(rows.some(({ policies }) => policies === 'off')
      ? ['## The same with all policies off', renderRows(rows.filter(({ policies }) => policies === 'off'))]
      : []),
    renderLegend(),
    ...renderExamples(rows),
    ...(soak === undefined ? [] : ['## The soak', renderSoak(soak)]),
  ].join('\n\n')}\n`;
}

/** Of the rows with policies, and what the same came to without. */
export function renderBars(rows) {
  const lines = rows
    .filter(({ policies }) => policies !== 'off')
    .flatMap((row) => {
      if (row.skipped !== undefined) return [[row.fault, `not run: ${row.skipped}`, '', '', '', '']];
      const off = rows.find(({ fault, policies }) => fault === row.fault && policies === 'off');
      return row.bars.map(({ what, wanted, found, isMet }, at) => [
        at === 0 ? row.fault : '',
        ...[what, wanted, found, isMet ? 'met' : '**missed**'],
        off?.bars?.[at] === undefined ? '' : off.bars[at].found,
      ]);
    });
  return table(['fault', 'bar', 'wanted', 'found', '', 'policies off'], lines);
}

function renderRows(rows) {
  const head = [
    ...['fault', 'requests', 'right, in time', 'late', 'refused', 'failed', 'lost', 'in flight', 'wrong'],
    ...['noticed', 'mended', 'back', 'again', 'p99 ms'],
  ];
  const lines = rows.map((row) =>
    row.skipped === undefined
      ? [
          ...[row.fault, row.requests, row.correct, row.late, row.refused, row.failed, row.lost],
          ...[row.inFlight, row.wrong, seconds(row.detectMs), seconds(row.mendMs), seconds(row.recoverMs)],
          ...[row.amplification.toFixed(3), number(row.p99Ms)],
        ]
      : [row.fault, `not run: ${row.skipped}`, ...Array(head.length - 2).fill('')],
  );
  return [
    table(head, lines),
    ...rows
      .filter(({ skipped }) => skipped === undefined)
      .filter(
        ({ proxied, extras, refusals }) => proxied || Object.keys({ ...extras, ...refusals }).length > 0,
      )
      .map(
        ({ fault, proxied, extras, refusals }) =>
          `- ${fault}: ${JSON.stringify({ ...extras, refusals, proxied })}`,
      ),
  ].join('\n');
}

function renderLegend() {
  return [
    'right, in time: the answer that was computed beforehand, bit for bit, within the deadline of the request, which it tells the server.',
    'refused: 504, or 429 or 503 with a `Retry-After`. Failed: any other answer to a request that was well, such as 500.',
    'lost: no answer, or the connection ended before it. In flight: the connection was held by a server that died.',
    'noticed, mended: the first event that tells of it, and of its end, since it began. Back: how long after its end nearly all (95 % of each quarter of a second) were answered in time again.',
    'again: runs that began, of the requests.',
  ]
    .map((line) => `- ${line}`)
    .join('\n');
}

function renderExamples(rows) {
  const lines = rows
    .filter(({ policies, examples = [] }) => policies !== 'off' && examples.length > 0)
    .flatMap(({ fault, examples }) => examples.map((one) => `- ${fault}: ${JSON.stringify(one)}`));
  return lines.length === 0 ? [] : ['## Requests that were not answered right and in time', lines.join('\n')];
}

export function renderSoak({ minutes, counts, findings, faults }) {
  return [
    `${minutes} minutes; faults: ${Object.entries(faults)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')}. Requests: ${Object.entries(counts)
      .map(([is, count]) => `${count} ${is}`)
      .join(', ')}.`,
    table(
      ['', 'found', ''],
      findings.map(({ what, found, isOk }) => [
        what,
        found,
        isOk === undefined ? '-' : isOk ? 'ok' : '**failed**',
      ]),
    ),
  ].join('\n\n');
}

function seconds(ms) {
  return ms === undefined ? '-' : `${(ms / 1000).toFixed(2)} s`;
}

import { number, table } from '../harness/markdown.mjs';

/** Of many pauses, so many are shown; the file beside the page has all. */
const MOST_SHOWN = 20;

/** The page of a soak: what was asked of it, and what came. */
export function renderReport({
  machine,
  args,
  seed,
  tookSeconds,
  counts,
  batched,
  pauses,
  findings,
  faults,
  logFaults,
}) {
  const { cpu, cores, node, commit, uncommitted } = machine;
  return `${[
    '# Soak',
    [
      `${cpu}, ${cores} cores, Node ${node}, commit ${commit?.slice(0, 12) ?? 'unknown'}${uncommitted ? ' with uncommitted changes' : ''};`,
      `\`npm run soak${args.length === 0 ? '' : ` -- ${args.join(' ')}`}\`, seed ${seed}, ${tookSeconds} s. The load and the server shared all cores.`,
    ].join('\n'),
    '## What was asked',
    table(
      ['', 'found', ''],
      findings.map(({ what, found, isOk }) => [what, found, verdictText(isOk)]),
    ),
    '## What came',
    table(
      ['sent', 'answered', 'rows', 'refused: late', 'refused: wrong', 'client left', 'shared a run'],
      [
        [
          ...['sent', 'answered', 'rows', 'refused', 'rejected', 'abandoned'].map((key) =>
            number(counts[key]),
          ),
          number(batched),
        ],
      ],
    ),
    '## What the server held in pauses',
    table(
      ['second', 'resident MiB', 'handles', 'threads'],
      someOf(pauses).map(({ seconds, memoryMib, handles, threads }) => [
        ...[seconds, memoryMib.toFixed(1), handles, threads],
      ]),
    ),
    ...(faults.length + logFaults.length === 0
      ? []
      : ['## Faults', [...faults.map((fault) => `- ${JSON.stringify(fault)}`), ...logFaults].join('\n')]),
  ].join('\n\n')}\n`;
}

export function verdictText(isOk) {
  return isOk === undefined ? '-' : isOk ? 'ok' : '**failed**';
}

/** Few enough of them to be read. */
export function someOf(pauses) {
  const step = Math.max(1, Math.ceil(pauses.length / MOST_SHOWN));
  return pauses.filter((_, at) => at % step === 0 || at === pauses.length - 1);
}

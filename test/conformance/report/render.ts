import type { Probe, Section, Statement, Verdict } from './probe.ts';

const TRANSPORTS = ['http', 'grpc'] as const;
export type Transport = (typeof TRANSPORTS)[number];

export const TRANSPORT_NAMES: Readonly<Record<Transport, string>> = { http: 'HTTP', grpc: 'gRPC' };

/** What was found, by the probe that found it. */
export type Verdicts = ReadonlyMap<Probe, Verdict>;

/** Every probe of a section, in its order. */
export function probesOf({ statements }: Section): readonly (readonly [Statement, Transport, Probe])[] {
  return statements.flatMap((statement) =>
    TRANSPORTS.flatMap((transport) => {
      const probe = statement[transport];
      return probe === undefined ? [] : [[statement, transport, probe] as const];
    }),
  );
}

/** The page's generated part, in Markdown. */
export function render(sections: readonly Section[], verdicts: Verdicts): string {
  return [summary(sections, verdicts), ...sections.map((section) => renderSection(section, verdicts))].join(
    '\n',
  );
}

function summary(sections: readonly Section[], verdicts: Verdicts): string {
  const kinds = ['conforms', 'differs', 'not offered'] as const;
  const rows = TRANSPORTS.map((transport) => {
    const found = sections
      .flatMap(probesOf)
      .filter(([, other]) => other === transport)
      .map(([, , probe]) => verdicts.get(probe)?.kind);
    return row(
      TRANSPORT_NAMES[transport],
      ...kinds.map((kind) => `${found.filter((one) => one === kind).length}`),
    );
  });
  return `${[row('', 'Conforms', 'Differs on purpose', 'Not offered'), row('---', '---', '---', '---'), ...rows].join('\n')}\n`;
}

function renderSection(section: Section, verdicts: Verdicts): string {
  const { title, source, file, statements } = section;
  const reasons: string[] = [];

  function cell(probe: Probe | undefined): string {
    const verdict = probe && verdicts.get(probe);
    if (probe === undefined || verdict === undefined) return '';
    const call = `\`${probe.call.replaceAll('|', '\\|')}\``;
    if (verdict.kind === 'conforms') return `${call} conforms`;
    if (!reasons.includes(verdict.because)) reasons.push(verdict.because);
    const words = verdict.kind === 'differs' ? 'differs' : 'not offered';
    return `${call} **${words}** (${reasons.indexOf(verdict.because) + 1})`;
  }

  const rows = statements.map(({ operation, says, http, grpc }) =>
    row(operation, says, cell(http), cell(grpc)),
  );
  const list = reasons.map((reason, index) => `${index + 1}. ${reason}`);
  return [
    `## ${title}`,
    '',
    `From ${source}. Asked in [${file}.ts](../test/conformance/report/cases/${file}.ts).`,
    '',
    row('Operation', 'What must hold', 'HTTP', 'gRPC'),
    row('---', '---', '---', '---'),
    ...rows,
    ...(list.length === 0 ? [] : ['', ...list]),
    '',
  ].join('\n');
}

function row(...cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`.replaceAll('|  |', '| |').replaceAll('|  |', '| |');
}

import type { ModelFile, Problem, ValueInfo } from '../../base/onnx/model-file.ts';
import { ownMember } from '../../base/util/own-member.ts';
import { describeShape } from '../../model/fit-shape.ts';
import { printable } from '../printable.ts';
import { shellQuote } from '../shell-quote.ts';
import type { Style } from '../style.ts';
import { type Inspection, isError, type RunReport } from './inspection.ts';

const MOST_OPERATORS = 8;
/** Old exporters list every weight as an input with a default. */
const MOST_OPTIONAL = 4;
const LONGEST_METADATA = 200;

/** An inspection for people, in short blocks. */
export function renderInspection(inspection: Inspection, run: RunReport | undefined, style: Style): string {
  const { file, omitted } = inspection;
  const omittedNames = new Set(omitted.map(({ kind, name }) => `${kind} ${name}`));
  const blocks = [
    [style.bold(printable(file.path))],
    table(factsOf(file)),
    block(
      'inputs',
      valueLines(file.inputs, (name) => omittedNames.has(`input ${name}`), file, style),
      style,
    ),
    block(
      'outputs',
      valueLines(file.outputs, (name) => omittedNames.has(`output ${name}`), file, style),
      style,
    ),
    block('batch axis', batchLines(inspection, run), style),
    block('run', run === undefined ? [] : runLines(run), style),
    block('metadata', metadataLines(file), style),
    block('left out', leftOutLines(inspection), style),
    block(
      'problems',
      file.problems.map((problem) => problemLine(problem, style)),
      style,
    ),
    [verdict(inspection, style)],
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function factsOf(file: ModelFile): readonly (readonly [string, string])[] {
  const { producer, externalData } = file;
  const made = [producer.name, producer.version].filter((part) => part !== '').join(' ');
  const ranked = Object.entries(file.operators).sort(([, a], [, b]) => b - a);
  const shown = ranked.slice(0, MOST_OPERATORS).map(([name, count]) => `${name} ${count}`);
  const more = ranked.length > MOST_OPERATORS ? [`and ${ranked.length - MOST_OPERATORS} more`] : [];
  const external = externalData.map(
    ({ path, sizeBytes }) => `${path} (${sizeBytes === undefined ? 'missing' : describeSize(sizeBytes)})`,
  );
  const facts: readonly (readonly [string, string])[] = [
    [
      'format',
      `${file.format === 'ort' ? 'ORT' : 'ONNX'}, ${describeSize(file.sizeBytes)}, IR version ${file.irVersion}`,
    ],
    ['external data', external.join(', ')],
    ['graph', file.graphName],
    ['description', file.description],
    ['producer', made],
    ['opset', file.opsets.map(({ domain, version }) => `${domain} ${version}`).join(', ')],
    ['parameters', file.parameterCount.toLocaleString('en')],
    ['operators', [...shown, ...more].join(', ')],
  ];
  return facts.filter(([, value]) => value !== '');
}

function table(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${printable(value)}`);
}

function valueLines(
  values: readonly ValueInfo[],
  isOmitted: (name: string) => boolean,
  file: ModelFile,
  style: Style,
): readonly string[] {
  const hidden = values.filter(({ optional }) => optional);
  const isHiding = hidden.length > MOST_OPTIONAL;
  const shown = isHiding ? values.filter(({ optional }) => !optional) : values;
  const nameWidth = Math.max(0, ...shown.map(({ name }) => printable(name).length));
  const typeOf = ({ datatype, type }: ValueInfo) => printable(datatype ?? type);
  const typeWidth = Math.max(0, ...shown.map((value) => typeOf(value).length));
  const lines = shown.map((value) => {
    const shape =
      value.shape === undefined
        ? value.kind === 'tensor'
          ? '[...]'
          : ''
        : describeShape({ shape: value.shape, dimensionNames: value.dimensionNames });
    const limit = ownMember(file.indexLimits, value.name);
    const remarks = [
      ...(value.optional ? ['has a default'] : []),
      ...(limit === undefined ? [] : [`values 0 to ${limit - 1}`]),
      ...(isOmitted(value.name) ? ['not served'] : []),
    ];
    const line = [printable(value.name).padEnd(nameWidth), typeOf(value).padEnd(typeWidth), printable(shape)]
      .join('  ')
      .trimEnd();
    return remarks.length === 0 ? line : `${line}  ${style.dim(`(${remarks.join(', ')})`)}`;
  });
  const rest = style.dim(`and ${hidden.length} with defaults: the model's weights; --json lists them`);
  return isHiding ? [...lines, rest] : lines;
}

function batchLines({ batchAxis }: Inspection, run: RunReport | undefined): readonly string[] {
  const bySignature = printable(`${batchAxis.axis}: ${batchAxis.reason}`);
  if (run !== undefined) return [`${bySignature} (by the signature)`, printable(run.notes.batchAxis ?? '')];
  return [batchAxis.axis === 0 ? `${bySignature}; loading proves it, see --run` : bySignature];
}

function runLines({ loadMs, notes }: RunReport): readonly string[] {
  const others = Object.entries(notes).filter(([name]) => name !== 'batchAxis');
  return [
    `loaded and tested in ${Math.round(loadMs)} ms`,
    ...others.map(([name, text]) => `${printable(name)}: ${printable(text)}`),
  ];
}

function metadataLines(file: ModelFile): readonly string[] {
  return Object.entries(file.metadata).map(([key, value]) => {
    const text = value.length > LONGEST_METADATA ? `${value.slice(0, LONGEST_METADATA)}...` : value;
    return `${printable(key)}: ${printable(text)}`;
  });
}

/** What is served without, unless a problem tells of it already. */
function leftOutLines({ omitted, file }: Inspection): readonly string[] {
  return omitted
    .filter(({ name }) => !file.problems.some(({ message }) => message.includes(`'${name}'`)))
    .map(({ kind, name, reason }) => `${kind} ${printable(name)}: ${printable(reason)}`);
}

function problemLine(problem: Problem, style: Style): string {
  const mark = isError(problem) ? style.red('error') : style.yellow('warning');
  return `${mark} ${printable(problem.where)}: ${printable(problem.message)}; ${printable(problem.fix)}`;
}

function verdict({ isServable, file }: Inspection, style: Style): string {
  if (!isServable) return style.red('This model cannot be served as it is.');
  return `nimify serve ${shellQuote(file.path)}`;
}

function block(title: string, lines: readonly string[], style: Style): readonly string[] {
  return lines.length === 0 ? [] : [`  ${style.bold(title)}`, ...lines.map((line) => `    ${line}`)];
}

function describeSize(sizeBytes: number): string {
  if (sizeBytes < 1000) return `${sizeBytes} bytes`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = sizeBytes / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

import type { ModelFile, Problem, ValueInfo } from '../../base/onnx/model-file.ts';
import { ownMember } from '../../base/util/own-member.ts';
import { describeShape } from '../../model/fit-shape.ts';
import { printable } from '../printable.ts';
import { shellQuote } from '../shell-quote.ts';
import type { Style } from '../style.ts';
import { batchLines, block, describeSize, joinBlocks, metadataLines, runLines, table } from './blocks.ts';
import { type Inspection, isError, type RunReport } from './inspection.ts';

const MOST_OPERATORS = 8;
/** Old exporters list every weight as an input with a default. */
const MOST_OPTIONAL = 4;

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
    block('batch axis', batchLines(inspection.batchAxis, run), style),
    block('run', run === undefined ? [] : runLines(run), style),
    block('metadata', metadataLines(file.metadata), style),
    block('left out', leftOutLines(inspection), style),
    block(
      'problems',
      file.problems.map((problem) => problemLine(problem, style)),
      style,
    ),
    [verdict(inspection, style)],
  ];
  return joinBlocks(blocks);
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

import { describeShape } from '../../model/fit-shape.ts';
import type { TensorSpec } from '../../model/signature.ts';
import { printable } from '../printable.ts';
import { shellQuote } from '../shell-quote.ts';
import type { Style } from '../style.ts';
import { batchLines, block, describeSize, joinBlocks, runLines, table } from './blocks.ts';
import type { RunReport } from './inspection.ts';
import type { ProgramInspection } from './program-inspection.ts';

/** The inspection of a program for people, in the blocks that a model file has. */
export function renderProgram(
  { source, artifact, batchAxis }: ProgramInspection,
  run: RunReport | undefined,
  style: Style,
): string {
  const { signature, format, sizeBytes, path } = artifact;
  const functionName = source.kind === 'python' ? source.functionName : undefined;
  const target = functionName === undefined ? path : `${path}:${functionName}`;
  return joinBlocks([
    [style.bold(printable(target))],
    table([
      ['format', `${format}, ${describeSize(sizeBytes)}`],
      ...(functionName === undefined ? [] : [['function', functionName] as const]),
    ]),
    block('inputs', specLines(signature.inputs, style), style),
    block('outputs', specLines(signature.outputs, style), style),
    block('batch axis', batchLines(batchAxis, run), style),
    block('run', run === undefined ? [] : runLines(run), style),
    [`nimify serve ${shellQuote(target)}`],
  ]);
}

function specLines(specs: readonly TensorSpec[], style: Style): readonly string[] {
  const nameWidth = Math.max(0, ...specs.map(({ name }) => printable(name).length));
  const typeWidth = Math.max(0, ...specs.map(({ datatype }) => datatype.length));
  return specs.map((spec) => {
    const name = printable(spec.name).padEnd(nameWidth);
    const line = `${name}  ${spec.datatype.padEnd(typeWidth)}  ${printable(describeShape(spec))}`;
    return spec.optional === true ? `${line}  ${style.dim('(has a default)')}` : line;
  });
}

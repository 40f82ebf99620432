import { dataLength, isBytesData, type Tensor } from '../../base/tensor/tensor.ts';
import { ownMember } from '../../base/util/own-member.ts';
import { bestClasses, classAxes } from '../../model/class-scores.ts';
import { printable } from '../printable.ts';
import type { Style } from '../style.ts';
import type { Prediction } from './target.ts';
import { describeElements, describeNumber, numberReader } from './tensor-values.ts';

export interface RenderOptions {
  readonly labels: Readonly<Record<string, readonly string[]>>;
  /** How many of the best classes to show. Undefined: five where there are class names, else every value. */
  readonly top?: number;
  readonly style: Style;
}

const USUAL_TOP = 5;
/** More elements than this are summarised. */
const MAX_ELEMENTS = 64;
const MAX_ROWS = 10;
const HEAD_ELEMENTS = 8;

/** A prediction for people: best classes with their names, short tensors whole, long ones summarised. */
export function renderTable({ outputs }: Prediction, options: RenderOptions): string {
  return outputs.map((output) => renderOutput(output, options)).join('\n');
}

function renderOutput(output: Tensor, options: RenderOptions): string {
  const heading = `${options.style.bold(printable(output.name))}  ${options.style.dim(`${output.datatype} [${output.shape.join(',')}]`)}\n`;
  return (
    heading +
    bodyLines(output, options)
      .map((line) => `  ${line}\n`)
      .join('')
  );
}

function bodyLines(output: Tensor, options: RenderOptions): readonly string[] {
  const count = dataLength(output.data);
  if (count === 0) return [options.style.dim('no elements')];
  const names = ownMember(options.labels, output.name);
  const classes = classCount(output, names?.length);
  if (classes !== undefined && (names !== undefined || options.top !== undefined)) {
    return classLines(output, classes, names, options.top ?? USUAL_TOP);
  }
  if (count > MAX_ELEMENTS) return [summary(output, count)];
  if (names !== undefined) return indexLines(output, names);
  return valueLines(output, count);
}

/** How many scores a row has: the size of the one axis after the rows that is not 1. */
function classCount({ data, datatype, shape }: Tensor, wanted: number | undefined): number | undefined {
  if (isBytesData(data) || !(datatype.startsWith('FP') || datatype === 'BF16')) return undefined;
  const axes = classAxes(shape);
  const [classes] = axes;
  if (axes.length !== 1 || classes === undefined || classes === 0) return undefined;
  return wanted === undefined || wanted === classes ? classes : undefined;
}

/** The best classes of each row, best first. */
function classLines(
  output: Tensor,
  classes: number,
  names: readonly string[] | undefined,
  top: number,
): readonly string[] {
  const valueAt = numberReader(output);
  const rows = dataLength(output.data) / classes;
  return forRows(rows, (row) => {
    const best = bestClasses(classes, (index) => valueAt(row * classes + index), top);
    const scores = describeScores(best.map((index) => valueAt(row * classes + index)));
    const width = Math.max(...scores.map((score) => score.length));
    return best.map((index, place) => {
      return `${scores[place]!.padStart(width)}  ${describeClass(index, names?.[index])}`;
    });
  });
}

/** Its name and number; the number alone where there is no name, or the name is just that. */
function describeClass(index: number, name: string | undefined): string {
  return name === undefined || name === String(index) ? `class ${index}` : `${printable(name)} (${index})`;
}

/** Shares of one are compared more easily with their digits aligned. */
function describeScores(scores: readonly number[]): readonly string[] {
  const areShares = scores.every((score) => score >= 0 && score <= 1);
  return scores.map((score) => (areShares ? score.toFixed(4) : describeNumber(score)));
}

/** Class indexes with their names. */
function indexLines(output: Tensor, names: readonly string[]): readonly string[] {
  const valueAt = numberReader(output);
  const values = describeElements(output, 0, dataLength(output.data));
  const named = values.map((value, at) => {
    const name = names[valueAt(at)];
    return name === undefined ? value : `${printable(name)} (${value})`;
  });
  return forRows(named.length, (row) => [named[row]!]);
}

/** A line a row of the last axis. */
function valueLines(output: Tensor, count: number): readonly string[] {
  const rowLength = output.shape.at(-1) ?? 1;
  const isList = output.shape.length <= 1;
  if (isList && !isBytesData(output.data)) return [describeElements(output, 0, count).join('  ')];
  const step = isList ? 1 : rowLength;
  return forRows(count / step, (row) => [describeElements(output, row * step, (row + 1) * step).join('  ')]);
}

function summary(output: Tensor, count: number): string {
  const head = `first ${describeElements(output, 0, HEAD_ELEMENTS).join('  ')} ...`;
  if (isBytesData(output.data)) return `${count} texts; ${head}`;
  const valueAt = numberReader(output);
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let sum = 0;
  let nans = 0;
  for (let at = 0; at < count; at += 1) {
    const value = valueAt(at);
    if (Number.isNaN(value)) nans += 1;
    else {
      min = Math.min(min, value);
      max = Math.max(max, value);
      sum += value;
    }
  }
  if (nans === count) return `${count} values, all NaN`;
  const odd = nans === 0 ? '' : `, ${nans} NaN`;
  const range = `min ${describeNumber(min)}, max ${describeNumber(max)}, mean ${describeNumber(sum / (count - nans))}`;
  return `${count} values: ${range}${odd}; ${head}`;
}

/** The lines of each row, marked with its number where there are several; rows beyond the first ten are counted. */
function forRows(rows: number, linesOf: (row: number) => readonly string[]): readonly string[] {
  const shown = Math.min(rows, MAX_ROWS);
  const lines: string[] = [];
  for (let row = 0; row < shown; row += 1) {
    const mark = rows === 1 ? '' : `${row}: `;
    lines.push(...linesOf(row).map((line, at) => (at === 0 ? mark : ' '.repeat(mark.length)) + line));
  }
  if (rows > shown) lines.push(`... ${rows - shown} rows more; --json prints all`);
  return lines;
}

import { LONGEST_NUMBER } from '../../../base/oip/number-text.ts';
import { writeSingle } from '../../../base/oip/single-text.ts';
import { halfToFloat } from '../../../base/tensor/half.ts';
import { elementCount, isBytesData, type Tensor } from '../../../base/tensor/tensor.ts';
import { bestClasses, classAxes } from '../../../model/class-scores.ts';

export interface LabelledScore {
  readonly label: string;
  /** `null` where the score is not finite. */
  readonly score: number | null;
}

/** By row the highest scores with their class names; or, for an output of class indexes, a name by row. */
export type OutputLabels = readonly (readonly LabelledScore[])[] | readonly (string | null)[];

export const TOP_LABELS = 5;

/**
 * What an output says in words. Undefined where the output does not look like scores over these classes (one
 * row of `names.length` floats after another) or like class indexes (one integer a row).
 */
export function labelsOf(output: Tensor, names: readonly string[]): OutputLabels | undefined {
  if (isBytesData(output.data) || names.length === 0) return undefined;
  const scoreAt = scoreReader(output);
  if (scoreAt !== undefined)
    return hasClassAxis(output, names) ? topScores(output, names, scoreAt) : undefined;
  return isIndexList(output) ? indexNames(output, names) : undefined;
}

function scoreReader({ datatype, data }: Tensor): ((at: number) => number) | undefined {
  if (data instanceof Float64Array || data instanceof Float32Array) return (at) => data[at]!;
  if (datatype === 'FP16' && data instanceof Uint16Array) return (at) => halfToFloat(data[at]!);
  return undefined;
}

/** As many classes as names; a single one has an axis of 1. */
function hasClassAxis({ shape }: Tensor, names: readonly string[]): boolean {
  const axes = classAxes(shape);
  if (names.length === 1) return shape.length > 0 && axes.length === 0;
  return axes.length === 1 && axes[0] === names.length;
}

function topScores(
  output: Tensor,
  names: readonly string[],
  scoreAt: (at: number) => number,
): readonly (readonly LabelledScore[])[] {
  const rows = elementCount(output.shape) / names.length;
  return Array.from({ length: rows }, (_, row) => topOfRow(row * names.length, names, scoreAt));
}

function topOfRow(
  offset: number,
  names: readonly string[],
  scoreAt: (at: number) => number,
): readonly LabelledScore[] {
  const best = bestClasses(names.length, (index) => scoreAt(offset + index), TOP_LABELS);
  return best.map((index) => {
    const score = scoreAt(offset + index);
    return { label: names[index]!, score: Number.isFinite(score) ? shortest(score) : null };
  });
}

const DIGITS = Buffer.alloc(LONGEST_NUMBER);

/** The double with the fewest digits that means the same FP32, so 0.98 for 0.9800000190734863. */
function shortest(value: number): number {
  if (Math.fround(value) !== value) return value;
  return Number(DIGITS.toString('latin1', 0, writeSingle(value, DIGITS, 0)));
}

/** `[N]` or `[N,1]`. */
function isIndexList({ datatype, shape }: Tensor): boolean {
  if (datatype === 'BOOL' || datatype === 'FP16' || datatype === 'BF16') return false;
  return shape.length === 1 || (shape.length === 2 && shape[1] === 1);
}

function indexNames({ data }: Tensor, names: readonly string[]): readonly (string | null)[] {
  if (isBytesData(data)) return [];
  return Array.from(data as Iterable<number | bigint>, (index) => names[Number(index)] ?? null);
}

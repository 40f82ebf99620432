import { invalidInput, type NimifyError } from '../base/errors/nimify-error.ts';
import { toBytesData } from '../base/tensor/bytes.ts';
import { bfloat16ToFloat, halfToFloat } from '../base/tensor/half.ts';
import { elementCount, isBytesData, type Tensor } from '../base/tensor/tensor.ts';
import { bestClasses } from './class-scores.ts';
import type { TensorSpec } from './signature.ts';

/**
 * Triton's classification extension (server repository, docs/protocol/extension_classification.md and
 * src/classification.cc): the best classes of an output as texts `score:index` or `score:index:label`, instead of it.
 */

export interface ClassificationOptions {
  /** The best so many; at least 1. */
  readonly count: number;
  /** Dimension 0 counts rows, and each gets its own classes. Else all elements are classes of one row. */
  readonly hasRows: boolean;
  /** By class; a class without one has none. */
  readonly labels: readonly string[];
  /** Of the parameter, for the errors, such as `outputs[0].parameters.classification`. */
  readonly where: string;
}

/** Texts of one answer: making more of them would hold up other requests. */
const MOST_TEXTS = 100_000;

/**
 * BYTES of shape [rows, count], or [count] without rows; fewer where there are fewer classes. Integers are written as
 * they are, floats with six decimals, as Triton does. Equal scores come by index, NaN last.
 * @throws NimifyError INVALID_INPUT
 */
export function classify(output: Tensor, options: ClassificationOptions): Tensor {
  const { count, hasRows, labels, where } = options;
  refuseClassification(output, where);
  const { name, shape } = output;
  const rows = hasRows && shape.length > 0 ? shape[0]! : undefined;
  const classes = elementCount(rows === undefined ? shape : shape.slice(1));
  const top = Math.min(count, classes);
  if (top * (rows ?? 1) > MOST_TEXTS) throw tooMany(where, count, rows ?? 1);
  const { scoreAt, write } = scoresOf(output);
  const texts: string[] = [];
  for (let row = 0; row < (rows ?? 1); row++) {
    const from = row * classes;
    for (const index of bestClasses(classes, (at) => scoreAt(from + at), top)) {
      const label = labels[index];
      texts.push(`${write(scoreAt(from + index))}:${index}${label === undefined ? '' : `:${label}`}`);
    }
  }
  const texted = rows === undefined ? [top] : [rows, top];
  return { name, datatype: 'BYTES', shape: texted, data: toBytesData(texts) };
}

/** @throws NimifyError INVALID_INPUT where elements of this datatype are no scores */
export function refuseClassification(
  { name, datatype }: Pick<TensorSpec, 'name' | 'datatype'>,
  where: string,
): void {
  if (datatype !== 'BYTES' && datatype !== 'BOOL') return;
  throw invalidInput(
    `${where}: expected an output of numbers, got '${name}' of ${datatype}; leave the parameter out, or ask for the scores`,
    { where, expected: 'an output of numbers', got: datatype },
  );
}

interface Scores {
  readonly scoreAt: (at: number) => number | bigint;
  readonly write: (score: number | bigint) => string;
}

function scoresOf({ datatype, data }: Tensor): Scores {
  if (isBytesData(data)) throw new TypeError('scores are numbers');
  const scoreAt = (at: number) => data[at]!;
  switch (datatype) {
    case 'FP16':
      return { scoreAt: (at) => halfToFloat(Number(data[at])), write: sixDecimals };
    case 'BF16':
      return { scoreAt: (at) => bfloat16ToFloat(Number(data[at])), write: sixDecimals };
    case 'FP32':
    case 'FP64':
      return { scoreAt, write: sixDecimals };
    default:
      return { scoreAt, write: String };
  }
}

/**
 * As C's `%f` writes it: the nearest decimal of the number itself, the even one where two are as near. JavaScript's
 * toFixed takes the larger one then, and has no digits for large numbers.
 */
export function sixDecimals(score: number | bigint): string {
  const value = Number(score);
  if (Number.isNaN(value)) return 'nan';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const magnitude = Math.abs(value);
  if (magnitude === Number.POSITIVE_INFINITY) return `${sign}inf`;
  if (magnitude >= 1e21) return `${sign}${BigInt(magnitude)}.000000`;
  // Odd multiples of 1/128 are the numbers that lie in the middle between two such decimals.
  const parts = magnitude * 128;
  return sign + (parts % 2 === 1 ? nearestEven(BigInt(parts)) : magnitude.toFixed(6));
}

/** Of an odd number of 128ths; each is 7812.5 millionths. */
function nearestEven(parts: bigint): string {
  const below = (parts * 15625n) / 2n;
  const digits = String(below + (below % 2n)).padStart(7, '0');
  return `${digits.slice(0, -6)}.${digits.slice(-6)}`;
}

function tooMany(where: string, count: number, rows: number): NimifyError {
  return invalidInput(
    `${where}: expected at most ${MOST_TEXTS} classes in an answer, got ${count} for each of ${rows} rows; ask for fewer, or for the scores`,
    { where, expected: `at most ${MOST_TEXTS} in all`, got: count },
  );
}

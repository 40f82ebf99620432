import { toNimifyError } from '../base/errors/nimify-error.ts';
import { BORROWED } from '../base/tensor/owner.ts';
import { concatRows, sliceRows } from '../base/tensor/rows.ts';
import type { Tensor } from '../base/tensor/tensor.ts';
import { createSeededRandom } from '../base/util/seeded-random.ts';
import type { RunRequest, RunResult } from '../model/engine.ts';
import type { ExampleKind } from '../model/example.ts';
import type { Signature } from '../model/signature.ts';
import { fixedOrders, openOrders } from './batch-orders.ts';
import { compareTensors } from './compare.ts';
import { type Recipe, recipeInputs } from './self-test.ts';

export interface BatchProofInput {
  /** With batch axis 0, inferred from its shapes. */
  readonly signature: Signature;
  /** A run takes exactly so many rows, whatever the signature says. Default: any number. */
  readonly fixedRows?: number;
  readonly indexLimits: Readonly<Record<string, number>>;
  readonly run: (request: RunRequest) => Promise<RunResult>;
  /** How to make inputs that the model answers, and how long it takes over one row. */
  readonly recipe: Recipe;
  readonly runNs: number;
}

export interface BatchProof {
  readonly proven: boolean;
  readonly reason: string;
}

const SEED = 7;
const TYPICAL_ROWS = 4;
/** Above this a row, two typical rows and the outlier have to do. */
const SLOW_ROW_NS = 100e6;
/** Above this a row, nothing is run: nine rows more would hold up the start for too long. */
const TOO_SLOW_ROW_NS = 1e9;

/** Where one outlier gets the answer of all other rows, many may not; they are tried where rows are quick. */
const MANY_OUTLIERS = 8;

/**
 * Do the rows of a batch leave each other alone? Different rows and one outlier, a thousand times larger, are run
 * alone, together and in another order; each row must get the same answer every time, within `TOLERANCES`. The
 * outlier finds what typical rows hide: dynamic quantisation scales every row by the largest of the batch.
 * Where batches have a fixed size, a row is alone when it fills all of one: then it must get the same answer in every
 * place, too, since a graph for one size may hold something else for each of its rows.
 *
 * Not proven is also what could not be tried: wrong batching is worse than none.
 */
export async function proveBatchAxis(input: BatchProofInput): Promise<BatchProof> {
  if (input.runNs > TOO_SLOW_ROW_NS) {
    const seconds = (input.runNs / 1e9).toFixed(1);
    const what = input.fixedRows === undefined ? 'row' : 'run';
    return unproven(
      `one ${what} takes ${seconds} s, too long to try out batches; batchAxis 'force' batches all the same`,
    );
  }
  const isSlow = input.runNs > SLOW_ROW_NS;
  const typicalRows = isSlow ? TYPICAL_ROWS / 2 : TYPICAL_ROWS;
  const attempts: readonly (readonly ExampleKind[])[] = [
    ['outlier'],
    ['outlier-floats'],
    ...(isSlow ? [] : [Array.from({ length: MANY_OUTLIERS }, () => 'outlier' as const)]),
  ];
  let verdict = unproven('');
  for (const outliers of attempts) {
    const attempt = await tryRows(input, typicalRows, outliers);
    if (attempt.decided) return attempt;
    verdict = unproven(attempt.reason);
  }
  return verdict;
}

interface Attempt extends BatchProof {
  readonly decided: boolean;
}

/**
 * Undecided where a row is refused or gives NaN, which may be the outlier's own fault, and where all rows get the
 * same answer: rows that are mixed up or left out would, too.
 */
async function tryRows(
  input: BatchProofInput,
  typicalRows: number,
  outliers: readonly ExampleKind[],
): Promise<Attempt> {
  const random = createSeededRandom(SEED);
  const { fixedRows } = input;
  const known = typicalRows + outliers.length;
  // With rows of its own for every place of a fixed batch, each meets others in each order.
  const others = Math.max(0, (fixedRows ?? 0) - known);
  const kinds: ExampleKind[] = [
    ...Array.from({ length: typicalRows }, () => 'typical' as const),
    ...outliers,
    ...Array.from({ length: others }, () => 'typical' as const),
  ];
  const rows = kinds.map((kind) =>
    recipeInputs(input.signature, input.recipe, { random, indexLimits: input.indexLimits, kind }),
  );
  if (rows.every((row) => areAlike(row, rows[0]!))) {
    return {
      decided: false,
      proven: false,
      reason: 'the rows that can be made up are all alike, which proves nothing',
    };
  }
  const influenced = (output: string) =>
    fixedRows === undefined
      ? `rows influence each other: output '${output}' differs between a row alone and in a batch`
      : `rows are not independent: output '${output}' of one differs by its place or by the rows beside it`;
  const answers: (readonly Tensor[] | undefined)[] = rows.map(() => undefined);
  const orders =
    fixedRows === undefined ? openOrders(rows.length) : fixedOrders(fixedRows, known, rows.length, random);
  try {
    for (const order of orders) {
      const together = await answer(input, joinRows(order.map((index) => rows[index]!)), order.length);
      const fault = firstFault(answers, together, order, influenced);
      if (fault !== undefined) return fault;
    }
    if (answers.every((one) => areAlike(one!, answers[0]!))) {
      return {
        decided: false,
        proven: false,
        reason: 'rows that differ all get the same answer, which proves nothing',
      };
    }
  } catch (thrown) {
    return {
      decided: false,
      proven: false,
      reason: `a batch could not be tried: ${toNimifyError(thrown).message}`,
    };
  }
  const far = outliers.length === 1 ? 'one of them an outlier' : `${outliers.length} of them outliers`;
  const reason = `${rows.length} rows, ${far}, get the same answers alone, together and reordered`;
  return { decided: true, proven: true, reason };
}

function areAlike(one: readonly Tensor[], other: readonly Tensor[]): boolean {
  return one.every((tensor, at) => compareTensors(tensor, other[at]!) === 'same');
}

/** The outputs; one that has not a row for every row of the inputs comes back with the shape of a scalar. */
async function answer(
  { signature, run }: BatchProofInput,
  inputs: readonly Tensor[],
  rows: number,
): Promise<readonly Tensor[]> {
  const wanted = signature.outputs.map((spec) => spec.name);
  const { outputs } = await run({ inputs, outputs: wanted, owner: BORROWED });
  return outputs.map((output) => (output.shape[0] === rows ? output : { ...output, shape: [] }));
}

/** The first answer to a row is what all further ones are held against. */
function firstFault(
  answers: (readonly Tensor[] | undefined)[],
  together: readonly Tensor[],
  order: readonly number[],
  influenced: (output: string) => string,
): Attempt | undefined {
  const short = together.find((output) => output.shape.length === 0);
  if (short !== undefined) {
    const reason = `output '${short.name}' has not as many rows as the inputs`;
    return { decided: true, proven: false, reason };
  }
  for (const [place, row] of order.entries()) {
    const own = together.map((output) => sliceRows(output, place, place + 1));
    const before = answers[row];
    answers[row] ??= own;
    const misfit = before === undefined ? undefined : compareAnswers(before, own, influenced);
    if (misfit !== undefined) return misfit;
  }
  return undefined;
}

function compareAnswers(
  one: readonly Tensor[],
  other: readonly Tensor[],
  influenced: (output: string) => string,
): Attempt | undefined {
  for (const [at, tensor] of one.entries()) {
    const verdict = compareTensors(tensor, other[at]!);
    if (verdict === 'same') continue;
    if (verdict === 'undecided') {
      const reason = `output '${tensor.name}' holds NaN, so rows cannot be compared`;
      return { decided: false, proven: false, reason };
    }
    return { decided: true, proven: false, reason: influenced(tensor.name) };
  }
  return undefined;
}

function joinRows(rows: readonly (readonly Tensor[])[]): readonly Tensor[] {
  return rows[0]!.map((_, at) => concatRows(rows.map((row) => row[at]!)));
}

function unproven(reason: string): BatchProof {
  return { proven: false, reason };
}

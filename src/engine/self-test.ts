import { type NimifyError, toNimifyError } from '../base/errors/nimify-error.ts';
import { BORROWED } from '../base/tensor/owner.ts';
import { elementCount, type Tensor } from '../base/tensor/tensor.ts';
import type { Clock } from '../base/util/clock.ts';
import { ownMember } from '../base/util/own-member.ts';
import { createSeededRandom } from '../base/util/seeded-random.ts';
import { dimensionKey } from '../model/dimension-name.ts';
import type { RunRequest, RunResult } from '../model/engine.ts';
import { dimensionKeys, type ExampleOptions, exampleInputs } from '../model/example.ts';
import type { Signature } from '../model/signature.ts';
import { validateRequest } from '../model/validate.ts';
import { type Dimensions, dimensionChoices } from './dimension-search.ts';

/** How inputs that the model answers are made: sizes of its dynamic dimensions, and what its values look like. */
export interface Recipe {
  readonly dimensions: Dimensions;
  readonly values: Values;
}

type Values = Pick<ExampleOptions, 'text' | 'integers'>;

export type ExampleFound =
  | {
      readonly ok: true;
      readonly inputs: readonly Tensor[];
      readonly outputs: readonly Tensor[];
      /** Time of the run that answered. */
      readonly runNs: number;
      readonly origin: 'file' | 'generated';
      /** Undefined where the inputs were given. */
      readonly recipe: Recipe | undefined;
    }
  | { readonly ok: false; readonly reason: string; readonly error: NimifyError | undefined };

export interface ExampleSearch {
  readonly signature: Signature;
  readonly indexLimits: Readonly<Record<string, number>>;
  /** Runs in place: nothing here goes through a queue. */
  readonly run: (request: RunRequest) => Promise<RunResult>;
  readonly clock: Clock;
}

const SEED = 20_240_229;
const MAX_TRIES = 600;
/** No further try begins after this. */
const SEARCH_LIMIT_NS = 5e9;
/** Inputs larger than this (64 MiB of FP32) are not tried: a search must not fill the memory. */
const MAX_ELEMENTS = 2 ** 24;
/** Sizes passed over for that; with many dynamic dimensions there are more combinations than can be counted. */
const MAX_TOO_LARGE = 10_000;

/** Runs inputs that somebody gave for this model. */
export async function tryExample(
  { signature, run }: ExampleSearch,
  inputs: readonly Tensor[],
): Promise<ExampleFound> {
  try {
    validateRequest(signature, { inputs });
    const result = await runOnce(signature, run, inputs);
    return {
      ok: true,
      inputs,
      outputs: result.outputs,
      runNs: result.computeNs,
      origin: 'file',
      recipe: undefined,
    };
  } catch (thrown) {
    const error = toNimifyError(thrown);
    return { ok: false, reason: `the given example is refused: ${error.message}`, error };
  }
}

/**
 * Looks for inputs that the model answers, made from its signature, with one row where rows are counted. Sizes
 * of dynamic dimensions are tried in turn, and for each other kinds of texts and integers. Answers without elements are
 * taken only where nothing better comes.
 */
export async function findExample(search: ExampleSearch): Promise<ExampleFound> {
  const { signature, indexLimits, run, clock } = search;
  const choices = valueChoices(search);
  const untilNs = clock.nowNs() + SEARCH_LIMIT_NS;
  let empty: ExampleFound | undefined;
  let lastError: NimifyError | undefined;
  let tries = 0;
  let tooLarge = 0;

  for (const dimensions of dimensionChoices(dimensionKeys(signature))) {
    if (elementsOf(signature, dimensions) > MAX_ELEMENTS) {
      tooLarge += 1;
      if (tooLarge > MAX_TOO_LARGE) break;
      continue;
    }
    for (const values of choices) {
      if (tries >= MAX_TRIES || (tries > 0 && clock.nowNs() > untilNs))
        return empty ?? notFound(tries, lastError);
      tries += 1;
      const recipe = { dimensions, values };
      const inputs = recipeInputs(signature, recipe, { indexLimits, random: createSeededRandom(SEED) });
      try {
        const { outputs, computeNs } = await runOnce(signature, run, inputs);
        const found: ExampleFound = {
          ok: true,
          inputs,
          outputs,
          runNs: computeNs,
          origin: 'generated',
          recipe,
        };
        if (outputs.some((output) => elementCount(output.shape) > 0)) return found;
        empty ??= found;
      } catch (thrown) {
        lastError = toNimifyError(thrown);
        const lacksMemory = lastError.details?.outOfMemory === true;
        if (lastError.code !== 'INVALID_INPUT' || lacksMemory) return empty ?? notFound(tries, lastError);
      }
    }
  }
  return empty ?? notFound(tries, lastError);
}

/** Inputs by a recipe; one row unless told otherwise. */
export function recipeInputs(
  signature: Signature,
  { dimensions, values }: Recipe,
  options: Omit<ExampleOptions, 'dimension' | keyof Values>,
): readonly Tensor[] {
  return exampleInputs(signature, { ...options, ...values, dimension: (key) => dimensions[key] ?? 1 });
}

/** Only what makes a difference to this signature. */
function valueChoices({ signature, indexLimits }: ExampleSearch): readonly Values[] {
  const specs = signature.inputs.filter((spec) => spec.optional !== true);
  const hasText = specs.some((spec) => spec.datatype === 'BYTES');
  const hasIntegers = specs.some(
    (spec) => /INT/.test(spec.datatype) && ownMember(indexLimits, spec.name) === undefined,
  );
  const integers: readonly Values[] = hasIntegers
    ? [{ integers: 'small' }, { integers: 'ones' }, { integers: 'zeros' }]
    : [{}];
  if (!hasText) return integers;
  return integers.flatMap((chosen) => [
    { ...chosen, text: 'words' },
    { ...chosen, text: 'numerals' },
  ]);
}

function runOnce(
  signature: Signature,
  run: ExampleSearch['run'],
  inputs: readonly Tensor[],
): Promise<RunResult> {
  return run({ inputs, outputs: signature.outputs.map((spec) => spec.name), owner: BORROWED });
}

function elementsOf(signature: Signature, dimensions: Dimensions): number {
  let total = 0;
  for (const spec of signature.inputs) {
    total += spec.shape.reduce((product, dimension, axis) => {
      const size = dimensions[dimensionKey(spec, axis)] ?? 1;
      return product * (dimension === -1 ? size : dimension);
    }, 1);
  }
  return total;
}

function notFound(tries: number, error: NimifyError | undefined): ExampleFound {
  if (tries === 0) {
    const reason = `its inputs have more than ${MAX_ELEMENTS} elements, too many to make up`;
    return { ok: false, reason, error };
  }
  const last = error === undefined ? '' : `, last because: ${error.message}`;
  const made =
    tries === 1
      ? 'the one request made up from the signature'
      : `all ${tries} requests made up from the signature`;
  return { ok: false, reason: `the model refused ${made}${last}`, error };
}

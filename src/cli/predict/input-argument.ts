import { invalidInput, type NimifyError } from '../../base/errors/nimify-error.ts';
import { didYouMean } from '../../base/util/nearest-name.ts';
import { describeShape } from '../../model/fit-shape.ts';
import { onlyInput } from '../../model/only-input.ts';
import type { TensorSpec } from '../../model/signature.ts';

/** One argument of `nimify predict`, taken apart but not read. */
export interface InputArgument {
  /** Undefined where no name was given and the value may hold several inputs by name. */
  readonly spec: TensorSpec | undefined;
  readonly source: InputSource;
}

export type InputSource =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'standard-input' };

/**
 * `name=VALUE`, `name=@FILE`, `name=@-` (standard input); the name may be left out where the model takes one
 * input, or where the value is a JSON object of values by name.
 * @throws NimifyError INVALID_INPUT where the input meant is unknown or unclear
 */
export function parseInputArgument(argument: string, specs: readonly TensorSpec[]): InputArgument {
  const named = longestNamed(argument, specs);
  if (named !== undefined) return { spec: named, source: toSource(argument.slice(named.name.length + 1)) };
  const mistyped = /^([\p{L}_][\p{L}\p{N}_.:/-]*)=/u.exec(argument)?.[1];
  if (mistyped !== undefined) throw unknownInput(mistyped, specs);
  return { spec: onlyInput(specs), source: toSource(argument) };
}

/** `X=...  FP32 [N,4]`, one a line: what a model takes, for errors. Those with a default are only counted. */
export function listInputs(specs: readonly TensorSpec[]): string {
  const required = specs.filter((spec) => spec.optional !== true);
  const lines = required.map((spec) => `  ${spec.name}=...  ${spec.datatype} ${describeShape(spec)}`);
  const optional = specs.length - required.length;
  return [...lines, ...(optional === 0 ? [] : [`  and ${optional} that may be left out`])].join('\n');
}

/** Names may hold `=` themselves, so the longest name that fits is meant. */
function longestNamed(argument: string, specs: readonly TensorSpec[]): TensorSpec | undefined {
  return specs
    .filter((spec) => argument.startsWith(`${spec.name}=`))
    .sort((a, b) => b.name.length - a.name.length)[0];
}

function toSource(value: string): InputSource {
  if (value === '@-') return { kind: 'standard-input' };
  return value.startsWith('@') && value.length > 1
    ? { kind: 'file', path: value.slice(1) }
    : { kind: 'text', text: value };
}

function unknownInput(name: string, specs: readonly TensorSpec[]): NimifyError {
  const names = specs.map((spec) => spec.name);
  const meant = didYouMean(name, names) || '.';
  return invalidInput(`the model has no input '${name}'${meant} It takes\n${listInputs(specs)}`, {
    where: 'inputs',
    expected: names,
    got: name,
  });
}

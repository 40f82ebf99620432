import { invalidInput } from '../../../base/errors/nimify-error.ts';
import type { Tensor } from '../../../base/tensor/tensor.ts';
import { onlyInput } from '../../../model/only-input.ts';
import type { Signature } from '../../../model/signature.ts';
import { isObjectAt, type Members } from './members.ts';
import { inputsByName, namedInputs } from './named-inputs.ts';
import { readTensor } from './read-tensor.ts';

/** Members that say something about the request; all others are inputs. */
const CONTROLS: ReadonlySet<string> = new Set(['model', 'version', 'outputs']);

/** An input of such a name cannot stand beside the others in the body; it can within `inputs`. */
export function isReservedMember(name: string): boolean {
  return CONTROLS.has(name) || name === 'inputs';
}

/** Names under which the values of a model's one input are taken, whatever the model calls it. */
const UNNAMED = ['input', 'inputs', 'instances'] as const;

/**
 * The inputs of a `/v1/predict` body, in any of its three forms:
 *
 * - `{"plan": ["pro"], "usage_hours": [4.5]}`: values by input name;
 * - `{"input": [[5.1, 3.5, 1.4, 0.2]]}` (or `inputs`, `instances`): for a model with one input;
 * - `{"inputs": {"plan": ["pro"], ...}}`: names apart from what else the body says, which also serves a model
 *   with an input called `model`, `version` or `outputs`.
 *
 * @throws NimifyError INVALID_INPUT
 */
export function simpleInputs(bytes: Uint8Array, members: Members, signature: Signature): readonly Tensor[] {
  const given = new Map([...members].filter(([key]) => !CONTROLS.has(key)));
  const nested = given.get('inputs');
  if (nested !== undefined && isObjectAt(bytes, nested)) {
    const named = inputsByName(bytes, nested, signature, 'inputs');
    if (named !== undefined) {
      refuseBeside(given);
      return namedInputs(bytes, named, signature, 'inputs.');
    }
  }
  const alias = UNNAMED.find((name) => given.has(name) && !hasInput(signature, name));
  if (alias === undefined) return namedInputs(bytes, given, signature, '');
  const spec = onlyInput(signature.inputs);
  if (spec === undefined) {
    const names = signature.inputs.map((input) => input.name);
    throw invalidInput(
      `${alias}: the model has ${names.length} inputs, so values need a name; send {"${names[0]}": ..., "${names[1]}": ...}`,
      { where: alias, expected: names },
    );
  }
  const values = readTensor(bytes, given.get(alias)!, spec, alias);
  given.delete(alias);
  return [values, ...namedInputs(bytes, given, signature, '')];
}

function hasInput(signature: Signature, name: string): boolean {
  return signature.inputs.some((input) => input.name === name);
}

function refuseBeside(given: Members): void {
  const beside = [...given.keys()].find((key) => key !== 'inputs');
  if (beside === undefined) return;
  throw invalidInput(
    `${beside}: expected only model, version and outputs beside an object of inputs; move it into inputs`,
    {
      where: beside,
      expected: ['inputs', ...CONTROLS],
      got: beside,
    },
  );
}

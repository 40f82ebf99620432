import { invalidInput, type NimifyError } from '../../../base/errors/nimify-error.ts';
import { type ByteRange, shorten } from '../../../base/oip/json-object.ts';
import type { Tensor } from '../../../base/tensor/tensor.ts';
import { didYouMean } from '../../../base/util/nearest-name.ts';
import { describeShape } from '../../../model/fit-shape.ts';
import { onlyInput } from '../../../model/only-input.ts';
import type { Signature, TensorSpec } from '../../../model/signature.ts';
import { isObjectAt, type Members, membersAt } from './members.ts';
import { readTensor } from './read-tensor.ts';

/**
 * Values by input name. What is missing is left to the registry, which checks every request.
 * @param prefix of the paths in errors, such as `inputs.`
 * @throws NimifyError INVALID_INPUT: a name that no input has, values that do not fit
 */
export function namedInputs(
  bytes: Uint8Array,
  members: Members,
  signature: Signature,
  prefix: string,
): readonly Tensor[] {
  const tensors: Tensor[] = [];
  for (const [name, range] of members) {
    const where = prefix + shorten(name);
    tensors.push(readTensor(bytes, range, inputCalled(signature, name, where), where));
  }
  return tensors;
}

/** @throws NimifyError INVALID_INPUT with the names there are */
export function inputCalled(signature: Signature, name: string, where: string): TensorSpec {
  const spec = signature.inputs.find((input) => input.name === name);
  if (spec === undefined) throw unknownInput(signature, name, where);
  return spec;
}

/**
 * The members of an object that holds values by input name; undefined where `range` holds the values of the one
 * input themselves. `{"b64": "..."}` is a value, unless an input has that name.
 */
export function inputsByName(
  bytes: Uint8Array,
  range: ByteRange,
  signature: Signature,
  where: string,
): Members | undefined {
  if (!isObjectAt(bytes, range)) return undefined;
  const { members } = membersAt(bytes, range.start, where);
  return isBase64Value(members, signature) ? undefined : members;
}

export function isBase64Value(members: Members, signature: Signature): boolean {
  return (
    members.size === 1 &&
    members.has('b64') &&
    onlyInput(signature.inputs)?.datatype === 'BYTES' &&
    signature.inputs.every((input) => input.name !== 'b64')
  );
}

function unknownInput(signature: Signature, name: string, where: string): NimifyError {
  const known = signature.inputs.map((input) => input.name);
  const listed = signature.inputs.map(
    (input) => `'${input.name}' (${input.datatype} ${describeShape(input)})`,
  );
  const meant = didYouMean(name, known);
  return invalidInput(`${where}: no input has this name; the inputs are ${listed.join(', ')}${meant}`, {
    where,
    expected: known,
    got: shorten(name),
  });
}

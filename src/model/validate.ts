import { type ErrorDetails, invalidInput, type NimifyError } from '../base/errors/nimify-error.ts';
import { ARRAY_OF } from '../base/tensor/datatype.ts';
import { dataLength, elementCount, isBytesData, type Tensor } from '../base/tensor/tensor.ts';
import { nearestName } from '../base/util/nearest-name.ts';
import { dimensionName } from './dimension-name.ts';
import { describeShape } from './fit-shape.ts';
import type { InferRequest } from './request.ts';
import type { Signature, TensorSpec } from './signature.ts';

/**
 * Holds a request against a signature: names, datatypes, shapes, symbolic dimensions across inputs, number of
 * elements, wanted outputs. Looks at no element. After it, only the values can still be refused by the model.
 * @throws NimifyError INVALID_INPUT with where, expected, got
 */
export function validateRequest(
  signature: Signature,
  request: Pick<InferRequest, 'inputs' | 'outputs'>,
): void {
  const { inputs } = lookup(signature);
  const given = new Set<string>();
  const dimensions = new Map<string, BoundDimension>();
  for (let index = 0; index < request.inputs.length; index++) {
    const tensor = request.inputs[index]!;
    const spec = inputs.get(tensor.name);
    if (spec === undefined) {
      throw unknownName('input', `inputs[${index}].name`, tensor.name, [...inputs.keys()]);
    }
    if (given.has(tensor.name)) {
      throw refuse(`inputs[${index}].name`, 'each input once', tensor.name, 'send it only once');
    }
    given.add(tensor.name);
    checkTensor(spec, tensor, index, dimensions);
  }
  if (given.size < signature.inputs.length) checkMissing(signature.inputs, given);
  if (request.outputs !== undefined) checkOutputs(signature, request.outputs);
}

interface BoundDimension {
  readonly input: string;
  readonly axis: number;
  readonly size: number;
}

interface Lookup {
  readonly inputs: ReadonlyMap<string, TensorSpec>;
  readonly outputs: ReadonlyMap<string, TensorSpec>;
}

const LOOKUPS = new WeakMap<Signature, Lookup>();

function lookup(signature: Signature): Lookup {
  let found = LOOKUPS.get(signature);
  if (found === undefined) {
    found = {
      inputs: new Map(signature.inputs.map((spec) => [spec.name, spec])),
      outputs: new Map(signature.outputs.map((spec) => [spec.name, spec])),
    };
    LOOKUPS.set(signature, found);
  }
  return found;
}

function checkTensor(
  spec: TensorSpec,
  tensor: Tensor,
  index: number,
  dimensions: Map<string, BoundDimension>,
): void {
  if (tensor.datatype !== spec.datatype) {
    throw refuse(
      `inputs[${index}].datatype`,
      spec.datatype,
      tensor.datatype,
      `send '${spec.name}' as ${spec.datatype}`,
    );
  }
  checkShape(spec, tensor, index, dimensions);
  checkData(tensor, index);
}

function checkShape(
  spec: TensorSpec,
  tensor: Tensor,
  index: number,
  dimensions: Map<string, BoundDimension>,
): void {
  const { shape } = tensor;
  const where = `inputs[${index}].shape`;
  if (Number.isNaN(elementCount(shape))) {
    throw refuse(
      where,
      'whole numbers from 0 whose product is below 2^53',
      shapeText(shape),
      'mend the shape',
    );
  }
  if (spec.anyRank === true) return;
  if (shape.length !== spec.shape.length) {
    const next = `'${spec.name}' has ${spec.shape.length} dimensions, not ${shape.length}`;
    throw refuse(where, describeShape(spec), shapeText(shape), next);
  }
  for (let axis = 0; axis < shape.length; axis++) {
    const size = shape[axis]!;
    const wanted = spec.shape[axis]!;
    if (wanted !== -1) {
      if (size === wanted) continue;
      const next = `dimension ${axis} of '${spec.name}' is ${wanted}, not ${size}`;
      throw refuse(where, describeShape(spec), shapeText(shape), next);
    }
    const name = dimensionName(spec, axis);
    if (name !== undefined) bindDimension(name, { input: spec.name, axis, size }, where, dimensions);
  }
}

function bindDimension(
  name: string,
  bound: BoundDimension,
  where: string,
  dimensions: Map<string, BoundDimension>,
): void {
  const before = dimensions.get(name);
  if (before === undefined) {
    dimensions.set(name, bound);
    return;
  }
  if (before.size === bound.size) return;
  throw invalidInput(
    `${where}: dimension '${name}' is ${before.size} in input '${before.input}' (axis ${before.axis}) and ` +
      `${bound.size} in input '${bound.input}' (axis ${bound.axis}); give it the same size in both`,
    { where, expected: before.size, got: bound.size },
  );
}

function checkData(tensor: Tensor, index: number): void {
  const { data, datatype, shape } = tensor;
  const where = `inputs[${index}].data`;
  const isRightKind =
    datatype === 'BYTES' ? isBytesData(data) && data.offsets.length > 0 : data instanceof ARRAY_OF[datatype];
  if (!isRightKind) {
    const expected = datatype === 'BYTES' ? '{bytes, offsets}' : ARRAY_OF[datatype].name;
    const got = ArrayBuffer.isView(data) ? data.constructor.name : typeof data;
    throw refuse(where, `${datatype} elements in ${expected}`, got, 'convert them first');
  }
  const expected = elementCount(shape);
  const got = dataLength(data);
  if (got === expected) return;
  const next = `the shape ${shapeText(shape)} has ${expected} elements; mend the shape or the data`;
  throw refuse(where, `${expected} elements`, `${got}`, next);
}

function checkMissing(specs: readonly TensorSpec[], given: ReadonlySet<string>): void {
  const missing = specs.filter((spec) => spec.optional !== true && !given.has(spec.name));
  const [first] = missing;
  if (first === undefined) return;
  const listed = missing.map((spec) => `'${spec.name}' (${spec.datatype} ${describeShape(spec)})`).join(', ');
  const noun = missing.length === 1 ? 'input' : 'inputs';
  throw invalidInput(`inputs: ${noun} ${listed} missing; add what is missing to the request`, {
    where: 'inputs',
    expected: specs.filter((spec) => spec.optional !== true).map((spec) => spec.name),
    got: [...given],
  });
}

function checkOutputs(signature: Signature, wanted: readonly string[]): void {
  const { outputs } = lookup(signature);
  const seen = new Set<string>();
  for (let index = 0; index < wanted.length; index++) {
    const name = wanted[index]!;
    const where = `outputs[${index}].name`;
    if (!outputs.has(name)) throw unknownName('output', where, name, [...outputs.keys()]);
    if (seen.has(name)) throw refuse(where, 'each output once', name, 'ask for it only once');
    seen.add(name);
  }
}

function unknownName(
  kind: 'input' | 'output',
  where: string,
  got: string,
  known: readonly string[],
): NimifyError {
  const near = nearestName(got, known);
  const meant = near === undefined ? '' : `; did you mean '${near}'?`;
  const listed = known.slice(0, MAX_LISTED).map((name) => `'${name}'`);
  if (known.length > MAX_LISTED) listed.push(`and ${known.length - MAX_LISTED} more`);
  const has = known.length === 0 ? `the model has no ${kind}s` : `the model has ${listed.join(', ')}`;
  return invalidInput(`${where}: no ${kind} is called '${clip(got)}'; ${has}${meant}`, {
    where,
    expected: known.slice(0, MAX_LISTED),
    got: clip(got),
  });
}

function refuse(where: string, expected: string, got: string, next: string): NimifyError {
  const details: ErrorDetails = { where, expected, got: clip(got) };
  return invalidInput(`${where}: expected ${expected}, got ${clip(got)}; ${next}`, details);
}

const MAX_LISTED = 20;
const MAX_ECHO = 100;

/** What a client sent is echoed, but not at any length. */
function clip(text: string): string {
  return text.length <= MAX_ECHO ? text : `${text.slice(0, MAX_ECHO)}...`;
}

function shapeText(shape: readonly number[]): string {
  return `[${clip(shape.join(','))}]`;
}

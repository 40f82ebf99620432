import { type ErrorDetails, invalidInput, type NimifyError } from '../base/errors/nimify-error.ts';
import { ARRAY_OF } from '../base/tensor/datatype.ts';
import { dataLength, elementCount, isBytesData, type Tensor } from '../base/tensor/tensor.ts';
import { didYouMean } from '../base/util/nearest-name.ts';
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
  const { tiesDimensions } = lookup(signature);
  const dimensions = tiesDimensions ? new Map<string, BoundDimension>() : undefined;
  if (areInOrder(signature.inputs, request.inputs)) {
    for (let index = 0; index < request.inputs.length; index++) {
      checkTensor(signature.inputs[index]!, request.inputs[index]!, index, dimensions);
    }
  } else {
    matchByName(signature, request.inputs, dimensions);
  }
  if (request.outputs !== undefined) checkOutputs(signature, request.outputs);
}

/** As most requests are: every input, where the signature has it. Nothing is unknown, sent twice or missing then. */
function areInOrder(specs: readonly TensorSpec[], inputs: readonly Tensor[]): boolean {
  if (inputs.length !== specs.length) return false;
  for (let index = 0; index < specs.length; index++) {
    if (inputs[index]!.name !== specs[index]!.name) return false;
  }
  return true;
}

function matchByName(
  signature: Signature,
  tensors: readonly Tensor[],
  dimensions: Map<string, BoundDimension> | undefined,
): void {
  const { inputs } = lookup(signature);
  const given = new Set<string>();
  for (let index = 0; index < tensors.length; index++) {
    const tensor = tensors[index]!;
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
}

interface BoundDimension {
  readonly input: string;
  readonly axis: number;
  readonly size: number;
}

interface Lookup {
  readonly inputs: ReadonlyMap<string, TensorSpec>;
  readonly outputs: ReadonlyMap<string, TensorSpec>;
  /** A named dimension stands in more than one place of the inputs, so sizes must be held against each other. */
  readonly tiesDimensions: boolean;
}

const LOOKUPS = new WeakMap<Signature, Lookup>();

function lookup(signature: Signature): Lookup {
  let found = LOOKUPS.get(signature);
  if (found === undefined) {
    found = {
      inputs: new Map(signature.inputs.map((spec) => [spec.name, spec])),
      outputs: new Map(signature.outputs.map((spec) => [spec.name, spec])),
      tiesDimensions: tiesDimensions(signature.inputs),
    };
    LOOKUPS.set(signature, found);
  }
  return found;
}

function tiesDimensions(specs: readonly TensorSpec[]): boolean {
  const names = specs.flatMap((spec) =>
    spec.shape.flatMap((size, axis) => (size === -1 ? (dimensionName(spec, axis) ?? []) : [])),
  );
  return new Set(names).size < names.length;
}

function checkTensor(
  spec: TensorSpec,
  tensor: Tensor,
  index: number,
  dimensions: Map<string, BoundDimension> | undefined,
): void {
  if (tensor.datatype !== spec.datatype) {
    throw refuse(
      `inputs[${index}].datatype`,
      spec.datatype,
      tensor.datatype,
      `send '${spec.name}' as ${spec.datatype}`,
    );
  }
  const elements = elementCount(tensor.shape);
  checkShape(spec, tensor, elements, index, dimensions);
  checkData(tensor, elements, index);
}

function checkShape(
  spec: TensorSpec,
  { shape }: Tensor,
  elements: number,
  index: number,
  dimensions: Map<string, BoundDimension> | undefined,
): void {
  if (Number.isNaN(elements)) {
    throw refuse(
      shapeOf(index),
      'whole numbers from 0 whose product is below 2^53',
      shapeText(shape),
      'mend the shape',
    );
  }
  if (spec.anyRank === true) return;
  if (shape.length !== spec.shape.length) {
    const next = `'${spec.name}' has ${spec.shape.length} dimensions, not ${shape.length}`;
    throw refuse(shapeOf(index), describeShape(spec), shapeText(shape), next);
  }
  for (let axis = 0; axis < shape.length; axis++) {
    const size = shape[axis]!;
    const wanted = spec.shape[axis]!;
    if (wanted !== -1) {
      if (size === wanted) continue;
      const next = `dimension ${axis} of '${spec.name}' is ${wanted}, not ${size}`;
      throw refuse(shapeOf(index), describeShape(spec), shapeText(shape), next);
    }
    if (dimensions === undefined) continue;
    const name = dimensionName(spec, axis);
    if (name !== undefined) bindDimension(name, { input: spec.name, axis, size }, shapeOf(index), dimensions);
  }
}

/** Where a shape stands; made only when it is told, which is hardly ever. */
function shapeOf(index: number): string {
  return `inputs[${index}].shape`;
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

function checkData({ data, datatype, shape }: Tensor, expected: number, index: number): void {
  const isRightKind =
    datatype === 'BYTES' ? isBytesData(data) && data.offsets.length > 0 : data instanceof ARRAY_OF[datatype];
  const got = isRightKind ? dataLength(data) : undefined;
  if (got === expected) return;
  const where = `inputs[${index}].data`;
  if (got === undefined) {
    const kind = datatype === 'BYTES' ? '{bytes, offsets}' : ARRAY_OF[datatype].name;
    const given = ArrayBuffer.isView(data) ? data.constructor.name : typeof data;
    throw refuse(where, `${datatype} elements in ${kind}`, given, 'convert them first');
  }
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
  for (let index = 0; index < wanted.length; index++) {
    const name = wanted[index]!;
    if (!outputs.has(name)) throw unknownName('output', `outputs[${index}].name`, name, [...outputs.keys()]);
    // Looked for from the start: it ends at the first name that comes twice, so it never goes through more names
    // than there are outputs, mostly one to three.
    if (wanted.indexOf(name) < index)
      throw refuse(`outputs[${index}].name`, 'each output once', name, 'ask for it only once');
  }
}

function unknownName(
  kind: 'input' | 'output',
  where: string,
  got: string,
  known: readonly string[],
): NimifyError {
  const listed = known.slice(0, MAX_LISTED).map((name) => `'${name}'`);
  if (known.length > MAX_LISTED) listed.push(`and ${known.length - MAX_LISTED} more`);
  const has = known.length === 0 ? `the model has no ${kind}s` : `the model has ${listed.join(', ')}`;
  return invalidInput(`${where}: no ${kind} is called '${clip(got)}'; ${has}${didYouMean(got, known)}`, {
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

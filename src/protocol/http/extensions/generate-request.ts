import { invalidInput, NimifyError } from '../../../base/errors/nimify-error.ts';
import type { DecodedInferRequest } from '../../../base/oip/decoded-request.ts';
import { elementsText } from '../../../base/oip/json-error.ts';
import { expectEnd, readString, scanObject, shorten } from '../../../base/oip/json-object.ts';
import { scanTensorValue } from '../../../base/oip/json-tensor.ts';
import { hasWord } from '../../../base/oip/json-value.ts';
import { scanParameter } from '../../../base/oip/parameters.ts';
import { dataLength, type Tensor } from '../../../base/tensor/tensor.ts';
import { describeShape } from '../../../model/fit-shape.ts';
import type { ParameterValue } from '../../../model/request.ts';
import type { Signature, TensorSpec } from '../../../model/signature.ts';

/** Members that say something about the request. Triton takes them from models whose inputs are called so, too. */
const RESERVED = ['id', 'parameters'] as const;

/**
 * Reads `{"<input>": value or list, ..., "parameters": {...}, "id": "..."}`. A member that is called like an input, in
 * `parameters` too, is its values; any other is a parameter. null is as nothing.
 * @throws NimifyError INVALID_INPUT; UNSUPPORTED for models with an input that such a body cannot name
 */
export function decodeGenerate(body: Uint8Array, signature: Signature): DecodedInferRequest {
  refuseReserved(signature);
  const inputs = new Map<string, Tensor>();
  const parameters = new Map<string, ParameterValue>();
  let id = '';

  function readMember(key: string, at: number, where: string): number {
    if (hasWord(body, at, 'null')) return at + 4;
    const spec = signature.inputs.find(({ name }) => name === key);
    if (spec === undefined) {
      const { value, end } = scanParameter(body, at, where);
      parameters.set(key, value);
      return end;
    }
    if (inputs.has(key)) throw invalidInput(`${where}: this input is given twice; keep one`, { where });
    const { tensor, end } = readInput(body, at, spec, where);
    inputs.set(key, tensor);
    return end;
  }

  const end = scanObject(body, 0, 'body', (key, at) => {
    if (key === 'id' && !hasWord(body, at, 'null')) {
      const { text, end: textEnd } = readString(body, at, 'id');
      id = text;
      return textEnd;
    }
    if (key === 'parameters' && !hasWord(body, at, 'null')) {
      return scanObject(body, at, 'parameters', (name, valueAt) =>
        readMember(name, valueAt, `parameters.${shorten(name)}`),
      );
    }
    return readMember(key, at, shorten(key));
  });
  expectEnd(body, end, 'body');
  refuseMissing(signature, inputs);
  return {
    id,
    inputs: [...inputs.values()],
    parameters: Object.fromEntries(parameters),
    outputs: undefined,
    binaryByDefault: false,
  };
}

function readInput(
  body: Uint8Array,
  at: number,
  spec: TensorSpec,
  where: string,
): { readonly tensor: Tensor; readonly end: number } {
  const { name, datatype } = spec;
  const { data, shape: nesting, end } = scanTensorValue(body, at, datatype, where);
  if (nesting.length > 1) {
    const got = `lists nested as [${nesting.join(',')}]`;
    throw invalidInput(
      `${where}: expected a value or a flat list of them, got ${got}; /v2/models/{model}/infer takes tensors of any shape`,
      { where, expected: 'a value or a flat list', got },
    );
  }
  const shape = shapeOf(spec, dataLength(data), where);
  return { tensor: { name, datatype, shape, data }, end };
}

/**
 * The shape that Triton gives to so many elements: fixed dimensions as they are, the innermost dynamic one takes what
 * they leave, the others are 1.
 */
function shapeOf(spec: TensorSpec, count: number, where: string): readonly number[] {
  if (spec.anyRank === true) return [count];
  const fixed = spec.shape.reduce((product, size) => (size === -1 ? product : product * size), 1);
  const innermost = spec.shape.lastIndexOf(-1);
  const left = fixed === 0 ? 0 : count / fixed;
  const fits = innermost === -1 ? count === fixed : Number.isInteger(left) && left * fixed === count;
  if (fits) return spec.shape.map((size, axis) => (size !== -1 ? size : axis === innermost ? left : 1));
  const expected = innermost === -1 ? elementsText(fixed) : `a multiple of ${elementsText(fixed)}`;
  throw invalidInput(
    `${where}: expected ${expected} for the input's shape ${describeShape(spec)}, got ${count}`,
    {
      where,
      expected,
      got: count,
    },
  );
}

function refuseReserved({ inputs }: Signature): void {
  const reserved = RESERVED.find((word) => inputs.some(({ name }) => name === word));
  if (reserved === undefined) return;
  throw new NimifyError(
    'UNSUPPORTED',
    `the model has an input '${reserved}', which means something else in a body to generate; use /v2/models/{model}/infer`,
    { details: { where: reserved } },
  );
}

function refuseMissing({ inputs }: Signature, given: ReadonlyMap<string, Tensor>): void {
  const missing = inputs.find(({ name, optional }) => optional !== true && !given.has(name));
  if (missing === undefined) return;
  const { name, datatype } = missing;
  throw invalidInput(
    `body: expected a member '${name}' with the values of that input (${datatype} ${describeShape(missing)}), got none`,
    { where: 'body', expected: inputs.map((input) => input.name) },
  );
}

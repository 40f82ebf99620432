import { invalidInput } from '../../../base/errors/nimify-error.ts';
import { mismatchError } from '../../../base/oip/json-error.ts';
import { type ByteRange, scanArray, scanObjectMembers, shorten } from '../../../base/oip/json-object.ts';
import { skipSpace } from '../../../base/oip/json-value.ts';
import type { Tensor } from '../../../base/tensor/tensor.ts';
import { onlyInput } from '../../../model/only-input.ts';
import type { Signature } from '../../../model/signature.ts';
import { isObjectAt, type Members, membersAt, stringMember } from './members.ts';
import { inputCalled, inputsByName, isBase64Value, namedInputs } from './named-inputs.ts';
import { readTensor } from './read-tensor.ts';

export interface TfRequest {
  /** `row`: answered with `predictions`; `column`: with `outputs`. */
  readonly format: 'row' | 'column';
  readonly inputs: readonly Tensor[];
}

const DEFAULT_SIGNATURE = 'serving_default';

/**
 * Reads a body of TensorFlow Serving's predict API (its REST guide, "Predict API"), which KServe's v1 protocol
 * took over: `instances` lists rows, each a value of the one input or an object of values by input name;
 * `inputs` holds the value of the one input or an object of values by input name. Other members are passed over.
 * @throws NimifyError INVALID_INPUT
 */
export function decodeTfRequest(bytes: Uint8Array, signature: Signature): TfRequest {
  const members = scanObjectMembers(bytes, 'body');
  checkSignatureName(stringMember(bytes, members, 'signature_name'));
  const instances = members.get('instances');
  const inputs = members.get('inputs');
  if (instances !== undefined && inputs !== undefined) {
    throw invalidInput('body: expected instances (rows) or inputs (columns), got both; send one of them', {
      where: 'body',
      expected: 'instances or inputs',
    });
  }
  if (instances !== undefined) return { format: 'row', inputs: rows(bytes, instances, signature) };
  if (inputs !== undefined) return { format: 'column', inputs: columns(bytes, inputs, signature) };
  throw invalidInput(
    'body: expected instances (a list of rows) or inputs (values by input name), got neither',
    {
      where: 'body',
      expected: 'instances or inputs',
      got: [...members.keys()].map(shorten),
    },
  );
}

function checkSignatureName(name: string | undefined): void {
  if (name === undefined || name === DEFAULT_SIGNATURE) return;
  throw invalidInput(
    `signature_name: models here have one signature, called ${DEFAULT_SIGNATURE}, got '${shorten(name)}'; leave it out`,
    { where: 'signature_name', expected: DEFAULT_SIGNATURE, got: shorten(name) },
  );
}

function columns(bytes: Uint8Array, range: ByteRange, signature: Signature): readonly Tensor[] {
  const named = inputsByName(bytes, range, signature, 'inputs');
  if (named !== undefined) return namedInputs(bytes, named, signature, 'inputs.');
  return [unnamed(bytes, range, signature, 'inputs', 'an object of values by input name')];
}

function rows(bytes: Uint8Array, range: ByteRange, signature: Signature): readonly Tensor[] {
  const firstAt = skipSpace(bytes, range.start + 1);
  if (isObjectAt(bytes, range) || !isObjectAt(bytes, { start: firstAt, end: range.end })) {
    return [unnamed(bytes, range, signature, 'instances', 'a list of objects of values by input name')];
  }
  const { members } = membersAt(bytes, firstAt, 'instances[0]');
  if (isBase64Value(members, signature)) return [unnamed(bytes, range, signature, 'instances', 'a list')];
  return rowObjects(bytes, range, signature, members);
}

function unnamed(
  bytes: Uint8Array,
  range: ByteRange,
  signature: Signature,
  where: string,
  instead: string,
): Tensor {
  const spec = onlyInput(signature.inputs);
  if (spec === undefined) {
    const names = signature.inputs.map((input) => input.name);
    throw invalidInput(
      `${where}: the model has ${names.length} inputs (${names.join(', ')}); expected ${instead}`,
      {
        where,
        expected: names,
      },
    );
  }
  return readTensor(bytes, range, spec, where);
}

/** Puts the values of each input together as one JSON array, which is then read like any other tensor. */
function rowObjects(
  bytes: Uint8Array,
  range: ByteRange,
  signature: Signature,
  first: Members,
): readonly Tensor[] {
  const ranges = new Map<string, ByteRange[]>([...first.keys()].map((name) => [name, []]));
  for (const name of first.keys()) inputCalled(signature, name, `instances[0].${shorten(name)}`);
  scanArray(bytes, range.start, 'instances', (index, at) => {
    const where = () => `instances[${index}]`;
    const { members, end } = membersAt(bytes, at, where);
    for (const [name, values] of ranges) {
      const value = members.get(name);
      if (value === undefined || members.size !== first.size) {
        throw mismatchError(
          where,
          `the inputs of instances[0] (${[...first.keys()].join(', ')})`,
          keysOf(members),
        );
      }
      values.push(value);
    }
    return end;
  });
  return [...ranges].map(([name, values]) => {
    const column = joinValues(bytes, values);
    const where = `instances[*].${name}`;
    return readTensor(column, { start: 0, end: column.length }, inputCalled(signature, name, where), where);
  });
}

function keysOf(members: Members): string {
  return [...members.keys()].slice(0, 20).map(shorten).join(', ') || 'none';
}

const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;

/** `[value,value,...]`, copied byte by byte: numbers stay as the client wrote them. */
function joinValues(bytes: Uint8Array, values: readonly ByteRange[]): Uint8Array {
  let size = 1;
  for (const { start, end } of values) size += end - start + 1;
  const joined = new Uint8Array(size);
  joined[0] = OPEN_BRACKET;
  let at = 1;
  for (const { start, end } of values) {
    joined.set(bytes.subarray(start, end), at);
    at += end - start;
    joined[at] = COMMA;
    at += 1;
  }
  joined[size - 1] = CLOSE_BRACKET;
  return joined;
}

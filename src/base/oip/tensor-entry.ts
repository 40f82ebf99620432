import { invalidInput, NimifyError } from '../errors/nimify-error.ts';
import { DATATYPES, type Datatype, isDatatype } from '../tensor/datatype.ts';
import { dataLength, elementCount, type Tensor, type TensorData } from '../tensor/tensor.ts';
import { decodeSection } from './binary-tensor.ts';
import { elementsText, expectedError, mismatchError, type Where } from './json-error.ts';
import { createNumberToken, scanNumber } from './json-number.ts';
import { MAX_ENTRIES, readString, scanArray, scanObject, shorten } from './json-object.ts';
import { MAX_RANK, type ScannedTensor, scanTensorValue } from './json-tensor.ts';
import { hasWord, skipValue } from './json-value.ts';
import type { NameSet } from './name-set.ts';
import { type ParameterMap, scanParameters, takeCount } from './parameters.ts';

/** The binary part of a body, handed out to the tensors in the order in which they are named in the JSON. */
export interface BinaryPart {
  /** Undefined where the message has no header length, and so no binary part. */
  readonly bytes: Uint8Array | undefined;
  taken: number;
}

export function createBinaryPart(bytes: Uint8Array | undefined): BinaryPart {
  return { bytes, taken: 0 };
}

/** The tensors must use up the binary part. */
export function expectAllTaken(part: BinaryPart, where: string): void {
  const size = part.bytes?.byteLength ?? 0;
  if (part.taken === size) return;
  throw mismatchError(
    where,
    `binary_data_size of all tensors to add up to the ${size} bytes after the JSON`,
    `${part.taken} bytes`,
  );
}

/** The members of an entry of `inputs` or `outputs`, as far as they have been met. */
interface Entry {
  name?: string;
  datatype?: Datatype;
  shape?: readonly number[];
  binarySize?: number | undefined;
  data?: ScannedTensor;
  /** Where `data` starts, when it came before the datatype that says how to read it. */
  laterAt?: number;
}

/**
 * Reads one tensor: OIP's $request_input and $response_output, whose members may come in any order. Members
 * that are not known are passed over: clients send more than the protocol names.
 */
export function scanTensorEntry(
  bytes: Uint8Array,
  at: number,
  where: string,
  part: BinaryPart,
): { readonly tensor: Tensor; readonly end: number } {
  const entry: Entry = {};
  const end = scanObject(bytes, at, where, (key, valueAt) => {
    if (hasWord(bytes, valueAt, 'null')) return valueAt + 4;
    switch (key) {
      case 'name': {
        const { text, end } = readString(bytes, valueAt, `${where}.name`);
        entry.name = text;
        return end;
      }
      case 'datatype': {
        const { text, end } = readString(bytes, valueAt, `${where}.datatype`);
        if (!isDatatype(text)) {
          throw mismatchError(`${where}.datatype`, `one of ${DATATYPES.join(', ')}`, `'${shorten(text)}'`);
        }
        entry.datatype = text;
        return end;
      }
      case 'shape': {
        const { shape, end } = scanShape(bytes, valueAt, `${where}.shape`);
        entry.shape = shape;
        return end;
      }
      case 'parameters': {
        const { parameters, end } = scanParameters(bytes, valueAt, `${where}.parameters`);
        refuseSharedMemory(parameters, `${where}.parameters`);
        entry.binarySize = takeCount(parameters, 'binary_data_size', `${where}.parameters`);
        return end;
      }
      case 'data': {
        if (entry.datatype === undefined) {
          entry.laterAt = valueAt;
          return skipValue(bytes, valueAt, `${where}.data`);
        }
        entry.data = scanData(bytes, valueAt, entry, where);
        return entry.data.end;
      }
      default:
        return skipValue(bytes, valueAt, () => `${where}.${shorten(key)}`);
    }
  });
  return { tensor: toTensor(entry, bytes, where, part), end };
}

function scanData(bytes: Uint8Array, at: number, entry: Entry, where: string): ScannedTensor {
  const count = entry.shape === undefined ? 0 : elementCount(entry.shape);
  return scanTensorValue(bytes, at, entry.datatype!, `${where}.data`, count);
}

function toTensor(entry: Entry, bytes: Uint8Array, where: string, part: BinaryPart): Tensor {
  const { name, datatype, shape, binarySize } = entry;
  if (name === undefined) throw missing(where, 'name');
  if (datatype === undefined) throw missing(where, 'datatype');
  if (shape === undefined) throw missing(where, 'shape');
  const scanned = entry.laterAt === undefined ? entry.data : scanData(bytes, entry.laterAt, entry, where);
  if (binarySize === undefined) {
    if (scanned === undefined) {
      throw invalidInput(
        `${where}: expected the elements in 'data', or 'binary_data_size' in 'parameters', got neither`,
        { where, expected: "'data' or 'binary_data_size'" },
      );
    }
    expectShape(scanned, shape, `${where}.data`);
    return { name, datatype, shape, data: scanned.data };
  }
  if (scanned !== undefined) {
    throw invalidInput(`${where}: expected either 'data' or 'binary_data_size', got both`, { where });
  }
  return { name, datatype, shape, data: takeSection(part, binarySize, datatype, shape, where) };
}

/** Flat in row-major order, or nested as the shape says. */
function expectShape(scanned: ScannedTensor, shape: readonly number[], where: string): void {
  const expected = elementCount(shape);
  const got = dataLength(scanned.data);
  if (got !== expected)
    throw mismatchError(where, `${elementsText(expected)} (shape [${shape.join(',')}])`, `${got}`);
  if (scanned.shape.length <= 1) return;
  const isAlike = scanned.shape.every((size, axis) => size === shape[axis]);
  // [[], []] stops at the first empty axis, and says nothing about those within.
  if (isAlike && (expected === 0 || scanned.shape.length === shape.length)) return;
  throw mismatchError(
    where,
    `a flat array, or arrays nested as the shape [${shape.join(',')}] says`,
    `arrays nested as [${scanned.shape.join(',')}]`,
  );
}

function takeSection(
  part: BinaryPart,
  size: number,
  datatype: Datatype,
  shape: readonly number[],
  where: string,
): TensorData {
  const place = `${where}.parameters.binary_data_size`;
  if (part.bytes === undefined) {
    throw invalidInput(
      `${place}: expected the header Inference-Header-Content-Length beside binary data, got none; it says where the JSON ends`,
      { where: place, expected: 'Inference-Header-Content-Length' },
    );
  }
  const left = part.bytes.byteLength - part.taken;
  if (size > left)
    throw mismatchError(place, `at most the ${left} bytes that are left of the body`, String(size));
  const section = part.bytes.subarray(part.taken, part.taken + size);
  part.taken += size;
  return decodeSection(section, datatype, elementCount(shape), place);
}

const TOKEN = createNumberToken();

function scanShape(
  bytes: Uint8Array,
  at: number,
  where: string,
): { readonly shape: readonly number[]; readonly end: number } {
  const shape: number[] = [];
  const end = scanArray(bytes, at, where, (axis, dimensionAt) => {
    if (axis === MAX_RANK) throw mismatchError(where, `at most ${MAX_RANK} dimensions`, 'more');
    const dimensionEnd = scanNumber(bytes, dimensionAt, TOKEN);
    if (dimensionEnd < 0 || !TOKEN.integral || !TOKEN.exact || (TOKEN.negative && TOKEN.mantissa > 0)) {
      throw expectedError(`${where}[${axis}]`, 'a non-negative integer', bytes, dimensionAt);
    }
    shape.push(TOKEN.mantissa);
    return dimensionEnd;
  });
  if (Number.isNaN(elementCount(shape))) {
    throw mismatchError(where, 'a number of elements below 2^53', `[${shape.join(',')}]`);
  }
  return { shape, end };
}

/** Shared memory would let a client name memory of this machine; it is not offered. */
export function refuseSharedMemory(parameters: ParameterMap, where: string): void {
  if (!parameters.has('shared_memory_region')) return;
  throw new NimifyError(
    'UNSUPPORTED',
    `${where}.shared_memory_region: tensors in shared memory are not offered; send the elements in the body`,
    { details: { where: `${where}.shared_memory_region` } },
  );
}

/** Names of tensors are unique within a message. */
export function refuseTwice(names: NameSet, name: string, where: Where): void {
  if (names.size === MAX_ENTRIES) throw mismatchError(where, `at most ${MAX_ENTRIES} entries`, 'more');
  if (!names.add(name)) throw mismatchError(where, 'every name once', `'${shorten(name)}' twice`);
}

function missing(where: string, member: string): NimifyError {
  return invalidInput(`${where}: expected a member '${member}', got none`, { where, expected: member });
}

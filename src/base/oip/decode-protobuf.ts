import type { NimifyError } from '../errors/nimify-error.ts';
import { DATATYPES, isDatatype } from '../tensor/datatype.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';
import { decodeSection } from './binary-tensor.ts';
import type { DecodedInferRequest, RequestedOutput } from './decoded-request.ts';
import type { InferMessage } from './infer-message.ts';
import { mismatchError } from './json-error.ts';
import { MAX_ENTRIES, shorten } from './json-object.ts';
import { MAX_RANK } from './json-tensor.ts';
import { NameSet } from './name-set.ts';
import { type ParameterMap, type ParameterRecord, takeCount, toRecord } from './parameters.ts';
import { decodeContents, type Span } from './protobuf-contents.ts';
import {
  type Cursor,
  createCursor,
  DELIMITED,
  readDelimited,
  readTag,
  readText,
  readVarint,
  skipField,
  toSigned,
  VARINT,
} from './protobuf-cursor.ts';
import { readParameter } from './protobuf-parameters.ts';
import { refuseSharedMemory, refuseTwice } from './tensor-entry.ts';

/** Empty `version`: the default one. */
export interface DecodedModelInfer extends DecodedInferRequest {
  readonly model: string;
  readonly version: string;
}

/** The parts of a ModelInferRequest, before its tensors are looked at. */
interface Parts {
  model: string;
  version: string;
  id: string;
  /** Where the length of each entry stands. */
  readonly parametersAt: number[];
  readonly inputs: Span[];
  readonly outputs: Span[];
  readonly raw: Uint8Array[];
}

/**
 * Decodes a ModelInferRequest (open_inference_grpc.proto, with Triton's parameters). Fields may come in any order
 * and in several parts, as protobuf allows; what is not known is passed over. Raw contents become views over the
 * message where they are aligned, else they are copied once.
 *
 * @param onModel told the model as soon as it is known, before anything else can be found wrong
 * @throws NimifyError INVALID_INPUT with place, expected and got; UNSUPPORTED for shared memory
 */
export function decodeModelInferRequest(
  message: InferMessage,
  onModel?: (model: string, version: string, id: string) => void,
): DecodedModelInfer {
  const { bytes } = message;
  const { model, version, id, parametersAt, inputs, outputs, raw } = readParts(message);
  onModel?.(model, version, id);
  const parameters = parametersAt.length === 0 ? {} : readParameters(bytes, parametersAt);
  if (raw.length > 0 && raw.length !== inputs.length) {
    // Inputs in shared memory have no raw contents; then that is what is to be said.
    for (const [index, span] of inputs.entries()) readTensor(bytes, span, `inputs[${index}]`);
    throw mismatchError('raw_input_contents', `${inputs.length}, one for each of inputs`, `${raw.length}`);
  }
  return {
    model,
    version,
    id,
    parameters,
    inputs: decodeInputs(bytes, inputs, raw),
    outputs: outputs.length === 0 ? undefined : decodeOutputs(bytes, outputs),
    binaryByDefault: true,
  };
}

function readParameters(bytes: Uint8Array, at: readonly number[]): ParameterRecord {
  const parameters: ParameterMap = new Map();
  for (const each of at) readParameter(createCursor(bytes, each), parameters, 'parameters');
  return toRecord(parameters);
}

function decodeInputs(
  bytes: Uint8Array,
  spans: readonly Span[],
  raw: readonly Uint8Array[],
): readonly Tensor[] {
  const decode = (span: Span, index: number) =>
    decodeTensor(bytes, span, raw[index], `inputs[${index}]`, 'raw_input_contents', index);
  const [only] = spans;
  // Most requests have one, which no other can have the name of.
  if (only !== undefined && spans.length === 1) return [decode(only, 0)];
  const names = new NameSet();
  return spans.map((span, index) => {
    const tensor = decode(span, index);
    refuseTwice(names, tensor.name, () => `inputs[${index}].name`);
    return tensor;
  });
}

function readParts({ bytes, rawContents = [] }: InferMessage): Parts {
  const parts: Parts = {
    model: '',
    version: '',
    id: '',
    parametersAt: [],
    inputs: [],
    outputs: [],
    raw: [...rawContents],
  };
  const cursor = createCursor(bytes);
  while (cursor.at < cursor.end) {
    const tag = readTag(cursor, 'message');
    switch (tag) {
      case (1 << 3) | DELIMITED:
        parts.model = readText(cursor, 'model_name');
        break;
      case (2 << 3) | DELIMITED:
        parts.version = readText(cursor, 'model_version');
        break;
      case (3 << 3) | DELIMITED:
        parts.id = readText(cursor, 'id');
        break;
      case (4 << 3) | DELIMITED:
        parts.parametersAt.push(cursor.at);
        cursor.at = readDelimited(cursor, 'parameters');
        if (parts.parametersAt.length > MAX_ENTRIES) throw tooMany('parameters');
        break;
      case (5 << 3) | DELIMITED:
        noteSpan(parts.inputs, cursor, 'inputs');
        break;
      case (6 << 3) | DELIMITED:
        noteSpan(parts.outputs, cursor, 'outputs');
        break;
      case (7 << 3) | DELIMITED: {
        const end = readDelimited(cursor, 'raw_input_contents');
        parts.raw.push(bytes.subarray(cursor.at, end));
        if (parts.raw.length > MAX_ENTRIES) throw tooMany('raw_input_contents');
        cursor.at = end;
        break;
      }
      default:
        skipField(cursor, tag, 'message');
    }
  }
  return parts;
}

/** Notes where the message that comes next lies, and passes over it. */
export function noteSpan(spans: Span[], cursor: Cursor, where: string): void {
  const end = readDelimited(cursor, where);
  spans.push({ start: cursor.at, end });
  if (spans.length > MAX_ENTRIES) throw tooMany(where);
  cursor.at = end;
}

/** An InferInputTensor or an InferOutputTensor, whose fields have the same numbers, before its elements are looked at. */
interface TensorParts {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly contents: readonly Span[];
}

/** @throws NimifyError INVALID_INPUT; UNSUPPORTED for shared memory */
function readTensor(bytes: Uint8Array, span: Span, where: string): TensorParts {
  const cursor = createCursor(bytes, span.start, span.end);
  let name = '';
  let datatype = '';
  const shape: number[] = [];
  let parameters: ParameterMap | undefined;
  const contents: Span[] = [];
  while (cursor.at < span.end) {
    const tag = readTag(cursor, where);
    switch (tag) {
      case (1 << 3) | DELIMITED:
        name = readText(cursor, where);
        break;
      case (2 << 3) | DELIMITED:
        datatype = readText(cursor, where);
        break;
      case (3 << 3) | DELIMITED: {
        const end = readDelimited(cursor, where);
        cursor.end = end;
        while (cursor.at < end) pushDimension(cursor, shape, where);
        cursor.end = span.end;
        break;
      }
      case (3 << 3) | VARINT:
        pushDimension(cursor, shape, where);
        break;
      case (4 << 3) | DELIMITED:
        parameters ??= new Map();
        readParameter(cursor, parameters, `${where}.parameters`);
        break;
      case (5 << 3) | DELIMITED:
        noteSpan(contents, cursor, `${where}.contents`);
        break;
      default:
        skipField(cursor, tag, where);
    }
  }
  if (parameters !== undefined) refuseSharedMemory(parameters, `${where}.parameters`);
  return { name, datatype, shape, contents };
}

/**
 * Decodes an InferInputTensor or an InferOutputTensor.
 *
 * @param raw its elements, where they stand outside of it, in entry `index` of `rawName`
 * @param where its own path, such as `inputs[0]`
 * @throws NimifyError INVALID_INPUT; UNSUPPORTED for shared memory
 */
export function decodeTensor(
  bytes: Uint8Array,
  span: Span,
  raw: Uint8Array | undefined,
  where: string,
  rawName: string,
  index: number,
): Tensor {
  const { name, datatype, shape, contents } = readTensor(bytes, span, where);
  if (name === '') throw mismatchError(`${where}.name`, 'a name', 'none');
  if (!isDatatype(datatype)) {
    throw mismatchError(`${where}.datatype`, `one of ${DATATYPES.join(', ')}`, `'${shorten(datatype)}'`);
  }
  const count = elementCount(shape);
  if (Number.isNaN(count)) {
    throw mismatchError(`${where}.shape`, 'a number of elements below 2^53', `[${shape.join(',')}]`);
  }
  if (raw === undefined) {
    return { name, datatype, shape, data: decodeContents(bytes, contents, datatype, count, where) };
  }
  if (contents.some(({ start, end }) => end > start)) {
    throw mismatchError(
      `${where}.contents`,
      `no typed contents beside ${rawName}; send the elements once`,
      'both',
    );
  }
  return { name, datatype, shape, data: decodeSection(raw, datatype, count, `${rawName}[${index}]`) };
}

function pushDimension(cursor: Cursor, shape: number[], where: string): void {
  readVarint(cursor, where);
  const size = toSigned(cursor);
  if (shape.length === MAX_RANK) {
    throw mismatchError(`${where}.shape`, `at most ${MAX_RANK} dimensions`, 'more');
  }
  if (!(size >= 0)) {
    throw mismatchError(`${where}.shape[${shape.length}]`, 'an integer from 0 to 2^53 - 1', 'another');
  }
  shape.push(size);
}

function decodeOutputs(bytes: Uint8Array, spans: readonly Span[]): readonly RequestedOutput[] {
  const names = new NameSet();
  return spans.map(({ start, end }, index) => {
    const where = `outputs[${index}]`;
    const cursor = createCursor(bytes, start, end);
    let name = '';
    const parameters: ParameterMap = new Map();
    while (cursor.at < end) {
      const tag = readTag(cursor, where);
      if (tag === ((1 << 3) | DELIMITED)) name = readText(cursor, where);
      else if (tag === ((2 << 3) | DELIMITED)) readParameter(cursor, parameters, `${where}.parameters`);
      else skipField(cursor, tag, where);
    }
    if (name === '') throw mismatchError(`${where}.name`, 'a name', 'none');
    refuseSharedMemory(parameters, `${where}.parameters`);
    refuseTwice(names, name, () => `${where}.name`);
    // As in JSON: 0 means the tensor itself.
    const classification = takeCount(parameters, 'classification', `${where}.parameters`) || undefined;
    return { name, binary: true, classification, parameters: toRecord(parameters) };
  });
}

export function tooMany(where: string): NimifyError {
  return mismatchError(where, `at most ${MAX_ENTRIES} entries`, 'more');
}

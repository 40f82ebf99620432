import { NimifyError } from '../base/errors/nimify-error.ts';
import { type Datatype, isDatatype } from '../base/tensor/datatype.ts';

/** What a server says of itself at `/v2`. */
export interface ServerMetadata {
  readonly name: string;
  readonly version: string;
  readonly extensions: readonly string[];
}

export interface TensorMetadata {
  readonly name: string;
  readonly datatype: Datatype;
  /** Dimensions; -1 where dynamic. */
  readonly shape: readonly number[];
}

/** What a server says of a model at `/v2/models/{model}`. */
export interface ModelMetadata {
  readonly name: string;
  readonly versions: readonly string[];
  /** Framework and format, such as `onnxruntime_onnx`. */
  readonly platform: string;
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
  /** The whole object as it was sent: servers add members of their own. */
  readonly raw: Readonly<Record<string, unknown>>;
}

/** @throws NimifyError ENGINE_FAILED where `value` is not what the protocol's `$metadata_server_response` says */
export function toServerMetadata(value: unknown, url: string): ServerMetadata {
  const fields = toRecord(value, url, 'the server metadata');
  return {
    name: toText(fields.name, url, 'name'),
    version: typeof fields.version === 'string' ? fields.version : '',
    extensions: toTexts(fields.extensions),
  };
}

/** @throws NimifyError ENGINE_FAILED where `value` is not what the protocol's `$metadata_model_response` says */
export function toModelMetadata(value: unknown, url: string): ModelMetadata {
  const fields = toRecord(value, url, 'the model metadata');
  return {
    name: toText(fields.name, url, 'name'),
    versions: toTexts(fields.versions),
    platform: typeof fields.platform === 'string' ? fields.platform : '',
    inputs: toTensors(fields.inputs, url, 'inputs'),
    outputs: toTensors(fields.outputs, url, 'outputs'),
    raw: fields,
  };
}

function toTensors(value: unknown, url: string, where: string): readonly TensorMetadata[] {
  if (!Array.isArray(value)) throw unreadable(url, where, 'a list of tensors', value);
  return value.map((item: unknown, at) => toTensor(item, url, `${where}[${at}]`));
}

function toTensor(value: unknown, url: string, where: string): TensorMetadata {
  const fields = toRecord(value, url, where);
  const { datatype, shape } = fields;
  if (!isDatatype(datatype))
    throw unreadable(url, `${where}.datatype`, 'a datatype of the protocol', datatype);
  if (!Array.isArray(shape)) throw unreadable(url, `${where}.shape`, 'a list of dimensions', shape);
  return {
    name: toText(fields.name, url, `${where}.name`),
    datatype,
    shape: shape.map((dimension: unknown, axis) => toDimension(dimension, url, `${where}.shape[${axis}]`)),
  };
}

/** Some servers send 64-bit dimensions as strings, as JSON of protobuf messages does. */
function toDimension(value: unknown, url: string, where: string): number {
  const dimension = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value;
  if (typeof dimension === 'number' && Number.isSafeInteger(dimension) && dimension >= -1) return dimension;
  throw unreadable(url, where, 'a dimension, or -1', value);
}

function toRecord(value: unknown, url: string, where: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  throw unreadable(url, where, 'an object', value);
}

function toText(value: unknown, url: string, where: string): string {
  if (typeof value === 'string') return value;
  throw unreadable(url, where, 'a string', value);
}

function toTexts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

function unreadable(url: string, where: string, expected: string, value: unknown): NimifyError {
  const got = value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value;
  return new NimifyError(
    'ENGINE_FAILED',
    `${url} answered something else than the Open Inference Protocol: ${where}: expected ${expected}, got ${got}`,
    { details: { where, expected, got, url } },
  );
}

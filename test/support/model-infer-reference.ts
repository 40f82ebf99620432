/** Test support: what a ModelInferRequest means, by the generated code. */
import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import type { DecodedModelInfer } from '../../src/base/oip/decode-protobuf.ts';
import type { RequestedOutput } from '../../src/base/oip/decoded-request.ts';
import { MAX_RANK } from '../../src/base/oip/json-tensor.ts';
import { ARRAY_OF, type Datatype, elementSizeBytes, isDatatype } from '../../src/base/tensor/datatype.ts';
import { dataLength, isBytesData, type Tensor, type TensorData } from '../../src/base/tensor/tensor.ts';
import {
  type InferParameter,
  type InferTensorContents,
  type ModelInferRequest,
  type ModelInferRequest_InferInputTensor,
  type ModelInferRequest_InferRequestedOutputTensor,
  ModelInferRequestSchema,
} from '../../src/protocol/grpc/generated/inference/infer_pb.ts';
import { CONTENTS_FIELD, type Typed } from './any-model-infer.ts';

/**
 * What a ModelInferRequest means that the generated code has read, in the form of ours; undefined: it is to be refused.
 * By the words of the specification, and slow.
 */
export function meaningOf(message: ModelInferRequest): DecodedModelInfer | undefined {
  const { inputs, outputs, rawInputContents: raw } = message;
  if (raw.length > 0 && raw.length !== inputs.length) return undefined;
  if (!areNamed(inputs) || !areNamed(outputs)) return undefined;
  const tensors = inputs.map((input, index) => toTensor(input, raw[index]));
  const wanted = outputs.map(toOutput);
  const parameters = toParameters(message.parameters);
  if (parameters === undefined) return undefined;
  if (!tensors.every((tensor) => tensor !== undefined) || !wanted.every((output) => output !== undefined)) {
    return undefined;
  }
  return {
    model: message.modelName,
    version: message.modelVersion,
    id: message.id,
    parameters,
    inputs: tensors,
    outputs: wanted.length === 0 ? undefined : wanted,
    binaryByDefault: true,
  };
}

function areNamed(all: readonly { readonly name: string }[]): boolean {
  const names = all.map(({ name }) => name);
  return !names.includes('') && new Set(names).size === names.length;
}

function toTensor(
  { name, datatype, shape, contents, parameters }: ModelInferRequest_InferInputTensor,
  raw: Uint8Array | undefined,
): Tensor | undefined {
  const given = toParameters(parameters);
  if (given === undefined || 'shared_memory_region' in given || !isDatatype(datatype)) return undefined;
  if (shape.length > MAX_RANK || shape.some((size) => size < 0n || size > MOST)) return undefined;
  const count = shape.reduce((product, size) => product * size, 1n);
  if (count > MOST) return undefined;
  const data =
    raw === undefined
      ? fromContents(datatype, contents, count)
      : isEmpty(contents)
        ? fromSection(datatype, raw, count)
        : undefined;
  return data && { name, datatype, shape: shape.map(Number), data };
}

const MOST = BigInt(Number.MAX_SAFE_INTEGER);

function isEmpty(contents: InferTensorContents | undefined): boolean {
  if (contents === undefined) return true;
  const { $typeName, $unknown = [], ...fields } = contents;
  return $unknown.length === 0 && Object.values(fields).every(({ length }) => length === 0);
}

function fromContents(
  datatype: Datatype,
  contents: InferTensorContents | undefined,
  count: bigint,
): TensorData | undefined {
  if (!(datatype in CONTENTS_FIELD)) return undefined;
  const known = datatype as Typed;
  const [, own] = CONTENTS_FIELD[known];
  for (const [, other] of Object.values(CONTENTS_FIELD)) {
    if (other !== own && contents !== undefined && contents[other].length > 0) return undefined;
  }
  const elements: readonly unknown[] = contents?.[own] ?? [];
  if (BigInt(elements.length) !== count) return undefined;
  if (known === 'BYTES') return packed(elements as readonly Uint8Array[]);
  const numbers = known === 'BOOL' ? elements.map(Number) : (elements as number[]);
  const data = new ARRAY_OF[known](numbers as never);
  // What the datatype cannot hold comes out as another number.
  const isHeld = known.startsWith('FP') || data.every((value, index) => value === numbers[index]);
  return isHeld ? data : undefined;
}

function fromSection(datatype: Datatype, raw: Uint8Array, count: bigint): TensorData | undefined {
  if (datatype === 'BOOL' && raw.some((byte) => byte > 1)) return undefined;
  if (datatype !== 'BYTES' && BigInt(raw.length) !== count * BigInt(elementSizeBytes(datatype))) {
    return undefined;
  }
  const data = fromRaw(datatype, raw);
  return data === undefined || BigInt(dataLength(data)) !== count ? undefined : data;
}

function toOutput({
  name,
  parameters,
}: ModelInferRequest_InferRequestedOutputTensor): RequestedOutput | undefined {
  const given = toParameters(parameters);
  if (given === undefined || 'shared_memory_region' in given) return undefined;
  const { classification, ...others } = given;
  const isCount = typeof classification === 'number' && Number.isSafeInteger(classification);
  if (classification !== undefined && !(isCount && classification >= 0)) return undefined;
  return {
    name,
    binary: true,
    classification: isCount && classification > 0 ? classification : undefined,
    parameters: others,
  };
}

function toParameters(
  parameters: Readonly<Record<string, InferParameter>>,
): DecodedModelInfer['parameters'] | undefined {
  const entries = Object.entries(parameters).map(([key, { parameterChoice }]) => {
    const { value } = parameterChoice;
    return [key, typeof value === 'bigint' ? Number(value) : value] as const;
  });
  const isExact = Object.values(parameters).every(({ parameterChoice: { value } }) =>
    typeof value === 'bigint' ? value >= -MOST && value <= MOST : value !== undefined && !Number.isNaN(value),
  );
  return isExact ? (Object.fromEntries(entries) as DecodedModelInfer['parameters']) : undefined;
}

/** Elements as they stand in raw contents; undefined: BYTES that end in the middle of an element. */
export function fromRaw(datatype: Datatype, raw: Uint8Array): TensorData | undefined {
  if (datatype !== 'BYTES') return new ARRAY_OF[datatype](Uint8Array.from(raw).buffer);
  const elements: Uint8Array[] = [];
  const bytes = Buffer.from(raw);
  for (let at = 0; at < bytes.length; ) {
    if (at + 4 > bytes.length) return undefined;
    const length = bytes.readUInt32LE(at);
    if (at + 4 + length > bytes.length) return undefined;
    elements.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return packed(elements);
}

function packed(elements: readonly Uint8Array[]): TensorData {
  const offsets = new Uint32Array(elements.length + 1);
  for (const [index, one] of elements.entries()) offsets[index + 1] = offsets[index]! + one.length;
  return { bytes: new Uint8Array(Buffer.concat(elements)), offsets };
}

/** NaNs of every kind must keep their bits, which only a comparison of bytes sees. */
export function bits(data: TensorData): unknown {
  if (isBytesData(data))
    return { bytes: Buffer.from(data.bytes).toString('hex'), offsets: [...data.offsets] };
  const bytes = Buffer.from(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength));
  if (data instanceof Float32Array) quieten(bytes);
  return bytes.toString('hex');
}

/** The generated code makes FP32 numbers of JavaScript's, which quietens signalling NaNs; ours keeps them. */
function quieten(bytes: Buffer): void {
  for (let at = 0; at < bytes.length; at += 4) {
    const word = bytes.readUInt32LE(at);
    if ((word & 0x7fffffff) > 0x7f800000) bytes.writeUInt32LE((word | 0x00400000) >>> 0, at);
  }
}

/** The same for what is the same. */
export function comparable(decoded: DecodedModelInfer | undefined): unknown {
  if (decoded === undefined) return 'refused';
  return { ...decoded, inputs: decoded.inputs.map((one) => ({ ...one, data: bits(one.data) })) };
}

/**
 * Does each field that the message's description knows come in the form that it has there? Others are fields that nobody
 * knows, to protobuf and to ours; the generated code reads them as what they are not.
 */
export function isAsDescribed(bytes: Uint8Array): boolean {
  try {
    return isMessage(bytes, ModelInferRequestSchema);
  } catch {
    return false;
  }
}

function isMessage(bytes: Uint8Array, { fields }: DescMessage): boolean {
  const keys = new Set<string>();
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    if (!isSmall(reader)) return false;
    const [number, wireType] = reader.tag();
    if (wireType === WireType.LengthDelimited && !isSmall(reader)) return false;
    const field = fields.find((one) => one.number === number);
    if (field !== undefined && !formsOf(field).includes(wireType)) return false;
    if (field?.fieldKind === 'map') {
      if (!isEntry(reader.bytes(), field, keys)) return false;
    } else if (field?.message !== undefined) {
      if (!isMessage(reader.bytes(), field.message)) return false;
    } else if (!isPassedOver(reader, wireType, number)) return false;
  }
  return true;
}

/** Tags and lengths have 32 bits, and of larger ones the generated code takes a part. */
function isSmall(reader: BinaryReader): boolean {
  const { pos } = reader;
  const value = BigInt(reader.uint64());
  reader.pos = pos;
  return value < 2n ** 32n;
}

/** Numbers of more than ten bytes are no protobuf, which the generated code finds out only where it wants them. */
function isPassedOver(reader: BinaryReader, wireType: WireType, number: number): boolean {
  const value = reader.skip(wireType, number);
  return (
    wireType === WireType.LengthDelimited || !/[\x80-\xff]{10}/.test(Buffer.from(value).toString('latin1'))
  );
}

/**
 * An entry of a map has its key as field 1, a text here, and its value as field 2. Of a key or a value that comes again,
 * ours judges the first one too.
 */
function isEntry(bytes: Uint8Array, { message }: DescField, keys: Set<string>): boolean {
  const reader = new BinaryReader(bytes);
  let key = '';
  while (reader.pos < reader.len) {
    if (!isSmall(reader)) return false;
    const [number, wireType] = reader.tag();
    if (wireType === WireType.LengthDelimited && !isSmall(reader)) return false;
    if ((number === 1 || number === 2) && wireType !== WireType.LengthDelimited) return false;
    if (number === 1) key = reader.string();
    else if (number !== 2) {
      if (!isPassedOver(reader, wireType, number)) return false;
    } else if (message !== undefined && !isMessage(reader.bytes(), message)) return false;
  }
  const isNew = !keys.has(key);
  keys.add(key);
  return isNew;
}

function formsOf({ scalar, fieldKind }: DescField): readonly WireType[] {
  const form =
    scalar === undefined || scalar === ScalarType.STRING || scalar === ScalarType.BYTES
      ? WireType.LengthDelimited
      : scalar === ScalarType.DOUBLE
        ? WireType.Bit64
        : scalar === ScalarType.FLOAT
          ? WireType.Bit32
          : WireType.Varint;
  return fieldKind === 'list' ? [form, WireType.LengthDelimited] : [form];
}

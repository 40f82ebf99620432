import { DATATYPES, type Datatype, isDatatype } from '../../base/tensor/datatype.ts';
import { type BatchAxisVerdict, inferBatchAxis } from '../../model/batch-axis.ts';
import type { Signature, TensorSpec } from '../../model/signature.ts';
import { breach, PROTOCOL_VERSION } from './process-frame.ts';

/** What a child says of itself before anything else. */
export interface Hello {
  /** What kind of model it is, such as `python` or `onnxruntime_onnx`; goes into OIP's metadata. */
  readonly platform: string;
  /** The batch axis by the shapes alone, where the child says that rows are independent of each other. */
  readonly signature: Signature;
  /** Why dimension 0 is, or is not, taken for the batch axis. */
  readonly batchAxisReason: string;
  /** Rows of every batch where shapes fix them and the child says that they are independent of each other. */
  readonly fixedRows?: number;
  /** Runs that the child takes at once. */
  readonly slots: number;
  readonly deterministic: boolean;
  /** Memory that the model takes in the child; 0 where it does not say. */
  readonly memoryBytes: number;
}

const MAX_SLOTS = 1024;
const MAX_RANK = 32;
const MAX_TENSORS = 1024;

/** @throws NimifyError ENGINE_FAILED where it is no hello of this protocol version */
export function readHello(json: Uint8Array): Hello {
  const fields = toRecord(parse(json), 'hello');
  if (fields.protocol !== PROTOCOL_VERSION) {
    throw breach(`hello.protocol ${PROTOCOL_VERSION}`, String(fields.protocol));
  }
  const model = toRecord(fields.model, 'hello.model');
  const inputs = toSpecs(model.inputs, 'hello.model.inputs');
  const outputs = toSpecs(model.outputs, 'hello.model.outputs');
  if (outputs.length === 0) throw breach('at least one entry in hello.model.outputs', 'none');
  const { slots = 1, memory_bytes: memoryBytes = 0 } = fields;
  if (!isCount(slots) || slots < 1 || slots > MAX_SLOTS) {
    throw breach(`hello.slots from 1 to ${MAX_SLOTS}`, shown(slots));
  }
  if (!isCount(memoryBytes)) throw breach('a number of bytes in hello.memory_bytes', shown(memoryBytes));
  const { axis, reason, fixedRows }: BatchAxisVerdict = toBoolean(fields.batchable, 'hello.batchable')
    ? inferBatchAxis(inputs, outputs)
    : { axis: 'none', reason: 'the program does not say that rows are independent (batchable)' };
  return {
    platform: model.platform === undefined ? 'program' : toText(model.platform, 'hello.model.platform'),
    signature: { inputs, outputs, batchAxis: axis },
    batchAxisReason: reason,
    ...(fixedRows === undefined ? {} : { fixedRows }),
    slots,
    deterministic: toBoolean(fields.deterministic, 'hello.deterministic'),
    memoryBytes,
  };
}

/** The JSON of a hello, for children that are written in TypeScript. */
export function writeHello(hello: Omit<Hello, 'batchAxisReason'>): Uint8Array {
  const { signature, platform, slots, deterministic, memoryBytes } = hello;
  return new TextEncoder().encode(
    JSON.stringify({
      protocol: PROTOCOL_VERSION,
      model: { platform, inputs: signature.inputs.map(fromSpec), outputs: signature.outputs.map(fromSpec) },
      slots,
      batchable: signature.batchAxis === 0,
      deterministic,
      memory_bytes: memoryBytes,
    }),
  );
}

function fromSpec({ name, datatype, shape, dimensionNames, optional, anyRank }: TensorSpec) {
  return {
    name,
    datatype,
    shape,
    ...(dimensionNames.length === 0 ? {} : { dimension_names: dimensionNames.map((known) => known ?? null) }),
    ...(optional === true ? { optional } : {}),
    ...(anyRank === true ? { any_rank: anyRank } : {}),
  };
}

function toSpecs(value: unknown, where: string): readonly TensorSpec[] {
  if (!Array.isArray(value)) throw breach(`a list in ${where}`, shown(value));
  if (value.length > MAX_TENSORS)
    throw breach(`at most ${MAX_TENSORS} entries in ${where}`, `${value.length}`);
  const specs = value.map((item: unknown, at) => toSpec(item, `${where}[${at}]`));
  const names = new Set(specs.map((spec) => spec.name));
  if (names.size < specs.length) throw breach(`every name once in ${where}`, 'one twice');
  return specs;
}

function toSpec(value: unknown, where: string): TensorSpec {
  const fields = toRecord(value, where);
  const shape = toShape(fields.shape, `${where}.shape`);
  const optional = toBoolean(fields.optional, `${where}.optional`);
  const anyRank = toBoolean(fields.any_rank, `${where}.any_rank`);
  return {
    name: toText(fields.name, `${where}.name`),
    datatype: toDatatype(fields.datatype, `${where}.datatype`),
    shape,
    dimensionNames: toNames(fields.dimension_names, shape.length, `${where}.dimension_names`),
    ...(optional ? { optional } : {}),
    ...(anyRank ? { anyRank } : {}),
  };
}

function toDatatype(value: unknown, where: string): Datatype {
  if (!isDatatype(value)) throw breach(`one of ${DATATYPES.join(', ')} in ${where}`, shown(value));
  return value;
}

function toShape(value: unknown, where: string): readonly number[] {
  const isShape =
    Array.isArray(value) && value.length <= MAX_RANK && value.every((size) => size === -1 || isCount(size));
  if (!isShape) throw breach(`at most ${MAX_RANK} dimensions, -1 where dynamic, in ${where}`, shown(value));
  return value as number[];
}

function toNames(value: unknown, rank: number, where: string): readonly (string | undefined)[] {
  if (value === undefined || value === null) return Array.from({ length: rank }, () => undefined);
  if (!Array.isArray(value) || value.length !== rank) {
    throw breach(`a name or null for each of the ${rank} dimensions in ${where}`, shown(value));
  }
  return value.map((name: unknown) => (name === null ? undefined : toText(name, where)));
}

function toText(value: unknown, where: string): string {
  if (typeof value !== 'string' || value === '') throw breach(`a text in ${where}`, shown(value));
  return value;
}

function toBoolean(value: unknown, where: string): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value !== 'boolean') throw breach(`true or false in ${where}`, shown(value));
  return value;
}

function toRecord(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  throw breach(`an object in ${where}`, shown(value));
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function parse(json: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch {
    throw breach(
      'JSON',
      `'${Buffer.from(json.subarray(0, 40))
        .toString('latin1')
        .replace(/[^ -~]/g, '.')}'`,
    );
  }
}

const MAX_SHOWN = 80;

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}...`;
}

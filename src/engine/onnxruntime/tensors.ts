import type { OnnxValue, Tensor as OrtTensor, TensorConstructor } from 'onnxruntime-node';
import { invalidInput } from '../../base/errors/nimify-error.ts';
import { toBytesData } from '../../base/tensor/bytes.ts';
import type { Datatype, TypedArray } from '../../base/tensor/datatype.ts';
import { type BytesData, isBytesData, type Tensor } from '../../base/tensor/tensor.ts';
import { checkText } from './text.ts';

type OrtType = OrtTensor.Type;

/** What makes tensors as the engine takes them. */
interface TensorMaker {
  readonly Tensor: TensorConstructor;
}

const ORT_TYPES: Readonly<Partial<Record<Datatype, OrtType>>> = {
  BOOL: 'bool',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FP16: 'float16',
  FP32: 'float32',
  FP64: 'float64',
  BYTES: 'string',
};

const DATATYPES: ReadonlyMap<string, Datatype> = new Map(
  Object.entries(ORT_TYPES).map(([datatype, type]) => [type, datatype as Datatype]),
);

/** The datatype of an ONNX Runtime type; undefined for those that cannot be passed: int4, uint4. */
export function toDatatype(type: string): Datatype | undefined {
  return DATATYPES.get(type);
}

/** A run's inputs by name, as views. @throws NimifyError INVALID_INPUT as `toOrtTensor` does */
export function toFeeds(maker: TensorMaker, inputs: readonly Tensor[]): Record<string, OrtTensor> {
  const feeds: Record<string, OrtTensor> = {};
  for (const tensor of inputs) feeds[tensor.name] = toOrtTensor(maker, tensor);
  return feeds;
}

/** A run's outputs in the order of `names`. */
export function toOutputs(
  names: readonly string[],
  made: Readonly<Record<string, OnnxValue>>,
): readonly Tensor[] {
  return names.map((name) => fromOrtTensor(name, made[name] as OrtTensor));
}

/**
 * A view as ONNX Runtime takes it: nothing is copied but text, which becomes JavaScript strings, and memory
 * shared between threads, which the native side refuses.
 * @throws NimifyError INVALID_INPUT for text that cannot be passed unchanged
 */
export function toOrtTensor(maker: TensorMaker, tensor: Tensor): OrtTensor {
  const type = ORT_TYPES[tensor.datatype];
  if (type === undefined) {
    throw invalidInput(`input '${tensor.name}': ONNX Runtime for Node takes no ${tensor.datatype}`);
  }
  const { data, shape } = tensor;
  if (isBytesData(data)) return new maker.Tensor('string', toText(tensor.name, data), shape);
  const array = data.buffer instanceof SharedArrayBuffer ? data.slice() : data;
  const made = new maker.Tensor(type as 'float32', array as Float32Array, shape);
  if (type === 'float16') passHalfAsBits(made, array);
  return made;
}

/**
 * Where Float16Array exists (Node 24), the package wraps FP16 bits in one, and its native side then reads
 * nothing ("expected 8, got 0"). It reads the public `data`, so that is what gets the bits back.
 */
function passHalfAsBits(made: OrtTensor, bits: TypedArray): void {
  if (made.data !== bits) Object.defineProperty(made, 'data', { value: bits });
}

function toText(name: string, data: BytesData): string[] {
  checkText(name, data);
  const { bytes, offsets } = data;
  const count = offsets.length - 1;
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const strings = new Array<string>(count);
  for (let index = 0; index < count; index++) {
    strings[index] = all.toString('utf8', offsets[index]!, offsets[index + 1]!);
  }
  return strings;
}

/** What a run gave, as a view over the memory that ONNX Runtime for Node made for it; text becomes UTF-8. */
export function fromOrtTensor(name: string, made: OrtTensor): Tensor {
  const datatype = toDatatype(made.type);
  if (datatype === undefined) throw new Error(`output '${name}' is of type ${made.type}`);
  const data = made.data as TypedArray | string[];
  const shape = made.dims;
  if (Array.isArray(data)) return { name, datatype, shape, data: toBytesData(data) };
  if (datatype === 'FP16' && !(data instanceof Uint16Array)) {
    // A Float16Array, where Node has it.
    return { name, datatype, shape, data: new Uint16Array(data.buffer, data.byteOffset, data.length) };
  }
  return { name, datatype, shape, data };
}

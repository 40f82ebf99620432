import { allocateTensorData } from '../base/tensor/allocate.ts';
import { toBytesData } from '../base/tensor/bytes.ts';
import type { Datatype, FixedDatatype } from '../base/tensor/datatype.ts';
import { floatToBfloat16, floatToHalf } from '../base/tensor/half.ts';
import { elementCount, type Tensor, type TensorData } from '../base/tensor/tensor.ts';
import { ownMember } from '../base/util/own-member.ts';
import { dimensionKey } from './dimension-name.ts';
import type { Signature, TensorSpec } from './signature.ts';

export interface ExampleOptions {
  /** Uniform in [0, 1): a seeded stream makes the example repeatable. */
  readonly random: () => number;
  /** Size of a dynamic dimension, by the key that `dimensionKeys` lists. Default 1 for all. */
  readonly dimension?: (key: string) => number;
  /** Size of dimension 0 where the signature's batch axis is 0. Default 1. */
  readonly rows?: number;
  /** By input: values are whole numbers in [0, limit). */
  readonly indexLimits?: Readonly<Record<string, number>>;
  /** `outlier`: numbers a thousand times larger (less where the datatype ends earlier). Default `typical`. */
  readonly kind?: ExampleKind;
  /** `numerals`: text that reads as a number, for models that parse it. Default `words`. */
  readonly text?: 'words' | 'numerals';
  /** `small`: 0 to 3; or the same everywhere, for models that take few (an axis, a count). Default `small`. */
  readonly integers?: 'small' | 'ones' | 'zeros';
}

/** `outlier-floats` leaves integers typical, for models where they index something nobody told us of. */
export type ExampleKind = 'typical' | 'outlier' | 'outlier-floats';

/**
 * Inputs made from the signature alone: floats from N(0,1), integers 0 to 3 (or within their limit), booleans
 * even, texts of one to three words. Optional inputs are left out.
 */
export function exampleInputs(signature: Signature, options: ExampleOptions): readonly Tensor[] {
  const size = options.dimension ?? (() => 1);
  return signature.inputs
    .filter((spec) => spec.optional !== true)
    .map((spec) => {
      const shape = spec.shape.map((dimension, axis) => {
        if (dimension !== -1) return dimension;
        if (axis === 0 && signature.batchAxis === 0) return options.rows ?? 1;
        return size(dimensionKey(spec, axis));
      });
      const data = fill(spec, elementCount(shape), options);
      return { name: spec.name, datatype: spec.datatype, shape, data };
    });
}

/** Key of each dynamic dimension that an example must choose a size for, rows excepted; each once. */
export function dimensionKeys(signature: Signature): readonly string[] {
  const keys = new Set<string>();
  for (const spec of signature.inputs) {
    if (spec.optional === true) continue;
    spec.shape.forEach((dimension, axis) => {
      const countsRows = axis === 0 && signature.batchAxis === 0;
      if (dimension === -1 && !countsRows) keys.add(dimensionKey(spec, axis));
    });
  }
  return [...keys];
}

function fill(spec: TensorSpec, count: number, options: ExampleOptions): TensorData {
  const { random } = options;
  if (spec.datatype === 'BYTES') {
    const word = options.text === 'numerals' ? () => String(below(100, random)) : () => phrase(random);
    return toBytesData(Array.from({ length: count }, word));
  }
  const limit = ownMember(options.indexLimits ?? {}, spec.name);
  const draw = limit === undefined ? numberOf(spec.datatype, options) : () => below(limit, random);
  const data = allocateTensorData(spec.datatype, count);
  const store = setter(spec.datatype, data);
  for (let index = 0; index < count; index++) store(index, draw());
  return data;
}

function setter(datatype: FixedDatatype, data: TensorData): (index: number, value: number) => void {
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    return (index, value) => {
      data[index] = BigInt(Math.trunc(value));
    };
  }
  const numbers = data as Uint16Array | Float32Array;
  const convert = { FP16: floatToHalf, BF16: floatToBfloat16 }[datatype as 'FP16' | 'BF16'];
  return (index, value) => {
    numbers[index] = convert === undefined ? value : convert(value);
  };
}

function numberOf(
  datatype: FixedDatatype,
  { random, kind = 'typical', integers = 'small' }: ExampleOptions,
): () => number {
  if (datatype === 'BOOL') return () => below(2, random);
  if (FLOATS.has(datatype)) {
    const factor = kind === 'typical' ? 1 : datatype === 'FP16' ? 100 : 1000;
    return () => normal(random) * factor;
  }
  if (integers !== 'small') return () => (integers === 'ones' ? 1 : 0);
  if (kind !== 'outlier') return () => below(4, random);
  const largest = datatype === 'INT8' ? 127 : datatype === 'UINT8' ? 255 : 4000;
  return () => largest - below(16, random);
}

const FLOATS: ReadonlySet<Datatype> = new Set(['FP16', 'BF16', 'FP32', 'FP64']);

const WORDS = ['hello', 'world', 'good', 'morning', 'river', 'green', 'seven', 'house', 'open', 'water'];

function phrase(random: () => number): string {
  return Array.from({ length: 1 + below(3, random) }, () => WORDS[below(WORDS.length, random)]).join(' ');
}

function below(limit: number, random: () => number): number {
  return Math.floor(random() * limit);
}

/** Box-Muller transform; 1 - u keeps the logarithm's argument above 0. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

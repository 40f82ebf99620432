import { allocateTensorData } from '../tensor/allocate.ts';
import type { Datatype, FixedDatatype, TypedArray } from '../tensor/datatype.ts';
import type { BytesData, TensorData } from '../tensor/tensor.ts';
import { elementsText, mismatchError } from './json-error.ts';
import {
  type Cursor,
  createCursor,
  DELIMITED,
  FIXED32,
  FIXED64,
  readDelimited,
  readTag,
  readVarint,
  skipField,
  VARINT,
} from './protobuf-cursor.ts';

/** Half-open range of bytes. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The fields of InferTensorContents, by their numbers. */
const FIELDS = [
  '',
  'bool_contents',
  'int_contents',
  'int64_contents',
  'uint_contents',
  'uint64_contents',
  'fp32_contents',
  'fp64_contents',
  'bytes_contents',
] as const;

/** Where the elements of each datatype stand (open_inference_grpc.proto); 16-bit floats travel as raw contents only. */
const FIELD_OF: Readonly<Record<Datatype, number | undefined>> = {
  BOOL: 1,
  INT8: 2,
  INT16: 2,
  INT32: 2,
  INT64: 3,
  UINT8: 4,
  UINT16: 4,
  UINT32: 4,
  UINT64: 5,
  FP32: 6,
  FP64: 7,
  BYTES: 8,
  FP16: undefined,
  BF16: undefined,
};

const RANGES: Readonly<Partial<Record<Datatype, readonly [number, number]>>> = {
  INT8: [-(2 ** 7), 2 ** 7 - 1],
  INT16: [-(2 ** 15), 2 ** 15 - 1],
  UINT8: [0, 2 ** 8 - 1],
  UINT16: [0, 2 ** 16 - 1],
};

/**
 * The elements of an InferTensorContents, which may come in several parts that add up, each packed or one by one.
 *
 * @param where path of the input, such as `inputs[0]`
 * @throws NimifyError INVALID_INPUT unless they are exactly `count` elements of the datatype's own field
 */
export function decodeContents(
  bytes: Uint8Array,
  parts: readonly Span[],
  datatype: Datatype,
  count: number,
  where: string,
): TensorData {
  const field = FIELD_OF[datatype];
  if (field === undefined) {
    throw mismatchError(`${where}.contents`, `${datatype} in raw_input_contents`, 'typed contents');
  }
  const place = `${where}.contents.${FIELDS[field]}`;
  let size = 0;
  for (const { start, end } of parts) size += end - start;
  // An element has a byte at least. Checked before anything is reserved: a shape may lie about the count.
  if (count > size) throw wrongCount(place, count, `${size} bytes`);
  const target = datatype === 'BYTES' ? createTexts(count, size) : createElements(datatype, count);
  for (const { start, end } of parts) {
    const cursor = createCursor(bytes, start, end);
    while (cursor.at < end) {
      const tag = readTag(cursor, place);
      const number = tag >>> 3;
      if (number === field) {
        if (!target.read(cursor, tag & 7, place)) skipField(cursor, tag, place);
      } else {
        const from = cursor.at;
        skipField(cursor, tag, place);
        // A packed field may be there and empty.
        const isEmpty = (tag & 7) === DELIMITED && number !== FIELD_OF.BYTES && cursor.at === from + 1;
        const name = FIELDS[number];
        if (name !== undefined && !isEmpty) {
          throw mismatchError(`${where}.contents`, `${datatype} in ${FIELDS[field]}`, `elements in ${name}`);
        }
      }
    }
  }
  if (target.filled() !== count) throw wrongCount(place, count, `${target.filled()}`);
  return target.data();
}

interface Target {
  /** Reads one occurrence of the field; false: it is not of a wire type that the field has. */
  read(cursor: Cursor, wireType: number, where: string): boolean;
  filled(): number;
  data(): TensorData;
}

function createTexts(count: number, capacity: number): Target {
  const offsets = new Uint32Array(count + 1);
  const bytes = new Uint8Array(capacity);
  let filled = 0;
  let length = 0;
  return {
    read(cursor, wireType, where) {
      if (wireType !== DELIMITED) return false;
      const end = readDelimited(cursor, where);
      if (filled === count) throw wrongCount(where, count, 'more');
      bytes.set(cursor.bytes.subarray(cursor.at, end), length);
      length += end - cursor.at;
      filled += 1;
      offsets[filled] = length;
      cursor.at = end;
      return true;
    },
    filled: () => filled,
    data: (): BytesData => ({ bytes: bytes.subarray(0, length), offsets }),
  };
}

function createElements(datatype: FixedDatatype, count: number): Target {
  const elements = allocateTensorData(datatype, count) as TypedArray;
  const wireType = datatype === 'FP32' ? FIXED32 : datatype === 'FP64' ? FIXED64 : VARINT;
  const read = wireType === VARINT ? varintReader(datatype, elements) : fixedReader(elements);
  let filled = 0;
  return {
    read(cursor, type, where) {
      if (type === wireType) {
        filled = read(cursor, filled, true, where);
        return true;
      }
      if (type !== DELIMITED) return false;
      const { end } = cursor;
      const packedEnd = readDelimited(cursor, where);
      cursor.end = packedEnd;
      filled = read(cursor, filled, false, where);
      cursor.end = end;
      return true;
    },
    filled: () => filled,
    data: () => elements,
  };
}

/** Reads one element or all up to the cursor's end, from `filled` on; returns how many are filled then. */
type ReadElements = (cursor: Cursor, filled: number, isOne: boolean, where: string) => number;

/** IEEE numbers are copied as they are. */
function fixedReader(elements: TypedArray): ReadElements {
  const target = new Uint8Array(elements.buffer);
  const size = elements.BYTES_PER_ELEMENT;
  return (cursor, filled, isOne, where) => {
    const { bytes, at } = cursor;
    const length = isOne ? size : cursor.end - at;
    if (length % size !== 0 || at + length > cursor.end) {
      throw mismatchError(where, `a multiple of ${size} bytes`, `${cursor.end - at} bytes`);
    }
    if (filled * size + length > target.length) throw wrongCount(where, elements.length, 'more');
    target.set(bytes.subarray(at, at + length), filled * size);
    cursor.at = at + length;
    return filled + length / size;
  };
}

function varintReader(datatype: Datatype, elements: TypedArray): ReadElements {
  const store = storeOf(datatype, elements);
  return (cursor, filled, isOne, where) => {
    let index = filled;
    do {
      if (cursor.at === cursor.end && !isOne) break;
      readVarint(cursor, where);
      if (index === elements.length) throw wrongCount(where, elements.length, 'more');
      store(cursor, index, where);
      index += 1;
    } while (!isOne);
    return index;
  };
}

function storeOf(
  datatype: Datatype,
  elements: TypedArray,
): (cursor: Cursor, index: number, where: string) => void {
  if (datatype === 'INT64' || datatype === 'UINT64') {
    const words = new Uint32Array(elements.buffer);
    return ({ low, high }, index) => {
      words[index * 2] = low;
      words[index * 2 + 1] = high;
    };
  }
  const numbers = elements as Int32Array;
  if (datatype === 'BOOL') {
    return ({ low, high }, index) => {
      numbers[index] = low !== 0 || high !== 0 ? 1 : 0;
    };
  }
  const isSigned = datatype.startsWith('INT');
  const [least, most] = RANGES[datatype] ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  return ({ low }, index, where) => {
    const value = isSigned ? low | 0 : low;
    if (value < least || value > most) {
      throw mismatchError(`${where}[${index}]`, `${datatype} from ${least} to ${most}`, String(value));
    }
    numbers[index] = value;
  };
}

function wrongCount(where: string, count: number, got: string): Error {
  return mismatchError(where, `${elementsText(count)} as the shape says`, got);
}

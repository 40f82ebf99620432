import { isUtf8 } from 'node:buffer';
import { invalidInput } from '../errors/nimify-error.ts';
import type { TypedArray } from '../tensor/datatype.ts';
import { bfloat16ToFloat, halfToFloat } from '../tensor/half.ts';
import { type BytesData, dataLength, isBytesData, type Tensor } from '../tensor/tensor.ts';
import type { JsonWriter } from './json-writer.ts';
import { manySingles } from './many-singles.ts';
import { LONGEST_NUMBER, writeAscii, writeDouble, writeInteger } from './number-text.ts';
import { writeSingles } from './single-text.ts';

const ENCODER = new TextEncoder();
const COMMA = 0x2c;
/** Elements between two checks for room. */
const STRIDE = 256;
/** Bytes of a number and its comma, as they mostly are. */
const USUAL_NUMBER = 11;
/** From so many floats on it pays to take them to the program that writes many. */
const MANY = 16;

/**
 * Writes the tensor's elements as JSON: in one array (`flat`, row-major, as the Open Inference Protocol has it)
 * or in arrays nested by shape (`nested`; a scalar is then the bare element).
 *
 * FP32 and FP64 are written with the shortest digits that give the value back; FP16 and BF16 with those of the
 * equal FP32. What is not finite becomes the string "NaN", "Infinity" or "-Infinity", since JSON has no number
 * for it. 64-bit integers keep every digit. BOOL is true or false.
 * @throws NimifyError INVALID_INPUT where an element of BYTES is no UTF-8 text
 */
export function writeTensorJson(tensor: Tensor, sink: JsonWriter, layout: 'flat' | 'nested'): void {
  const count = dataLength(tensor.data);
  if (layout === 'nested') {
    writeNested(tensor, sink, 0, 0, count);
    return;
  }
  sink.ascii('[');
  writeElements(tensor, sink, 0, count);
  sink.ascii(']');
}

/** Elements [from, to), which are one entry along all axes before `axis`. Depth is the rank of a tensor. */
function writeNested(tensor: Tensor, sink: JsonWriter, axis: number, from: number, to: number): void {
  const { shape } = tensor;
  if (axis === shape.length) {
    writeElements(tensor, sink, from, to);
    return;
  }
  sink.ascii('[');
  if (axis === shape.length - 1) writeElements(tensor, sink, from, to);
  else {
    const size = shape[axis]!;
    const step = (to - from) / size;
    for (let index = 0; index < size; index++) {
      if (index > 0) sink.ascii(',');
      writeNested(tensor, sink, axis + 1, from + index * step, from + (index + 1) * step);
    }
  }
  sink.ascii(']');
}

/** The elements with commas between them. */
function writeElements(tensor: Tensor, sink: JsonWriter, from: number, to: number): void {
  if (isBytesData(tensor.data)) {
    writeTexts(tensor.name, tensor.data, sink, from, to);
    return;
  }
  if (to - from >= MANY && writeManyFloats(tensor, sink, from, to)) return;
  const write = WRITERS[tensor.datatype as keyof typeof WRITERS] as ElementsWriter;
  // Most of the room at once: growing by and by copies the text again and again.
  sink.reserve((to - from) * USUAL_NUMBER);
  for (let start = from; start < to; start += STRIDE) {
    const end = Math.min(start + STRIDE, to);
    sink.reserve((end - start) * (LONGEST_NUMBER + 1));
    sink.at = write(tensor.data, start, end, sink.bytes, start === from ? sink.at : writeComma(sink));
  }
}

/** Floats of up to 32 bits. Returns false, and has done nothing, where they are others or there is no program for many. */
function writeManyFloats(tensor: Tensor, sink: JsonWriter, from: number, to: number): boolean {
  const copy = COPIES[tensor.datatype as keyof typeof COPIES] as CopyFloats | undefined;
  const many = copy === undefined ? undefined : manySingles(to - from);
  if (copy === undefined || many === undefined) return false;
  const { numbers, text } = many;
  for (let start = from; start < to; start += numbers.length) {
    const end = Math.min(start + numbers.length, to);
    copy(tensor.data, start, end, numbers);
    const length = many.write(end - start);
    // Room at once for all that are left, should they be a little longer than these.
    sink.reserve(Math.ceil((length / (end - start)) * (to - start) * 1.0625));
    sink.bytes.set(text.subarray(0, length), sink.at);
    sink.at += length;
  }
  sink.at -= 1;
  return true;
}

/** Copies elements [from, to) to the start of `into`, as FP32. */
type CopyFloats = (data: Tensor['data'], from: number, to: number, into: Float32Array) => void;

const COPIES = {
  FP32: (data: Float32Array, from: number, to: number, into: Float32Array) =>
    into.set(data.subarray(from, to)),
  FP16: (data: Uint16Array, from: number, to: number, into: Float32Array) => {
    for (let index = from; index < to; index++) into[index - from] = halfToFloat(data[index]!);
  },
  BF16: (data: Uint16Array, from: number, to: number, into: Float32Array) => {
    for (let index = from; index < to; index++) into[index - from] = bfloat16ToFloat(data[index]!);
  },
};

function writeComma(sink: JsonWriter): number {
  sink.bytes[sink.at] = COMMA;
  return sink.at + 1;
}

/** Writes elements [from, to), at least one, and returns where the text ends. Room has been made. */
type ElementsWriter = (data: TypedArray, from: number, to: number, into: Uint8Array, at: number) => number;

/** One loop for each kind of element: a shared one would call through a different function for each. */
const WRITERS = {
  BOOL: writeBooleans,
  UINT8: writeIntegers,
  UINT16: writeIntegers,
  UINT32: writeIntegers,
  INT8: writeIntegers,
  INT16: writeIntegers,
  INT32: writeIntegers,
  UINT64: writeLongs,
  INT64: writeLongs,
  FP16: (data: Uint16Array, from: number, to: number, into: Uint8Array, at: number) =>
    writeHalves(data, from, to, into, at, halfToFloat),
  BF16: (data: Uint16Array, from: number, to: number, into: Uint8Array, at: number) =>
    writeHalves(data, from, to, into, at, bfloat16ToFloat),
  FP32: writeSingles,
  FP64: writeDoubles,
};

/** The engine's own formatter is the fastest way to 17 digits, and far faster on an array than on each number. */
function writeDoubles(data: Float64Array, from: number, to: number, into: Uint8Array, at: number): number {
  if (isPlain(data, from, to)) {
    const text = JSON.stringify(Array.from(data.subarray(from, to)));
    return at + ENCODER.encodeInto(text.slice(1, -1), into.subarray(at)).written;
  }
  for (let index = from; index < to; index++) {
    if (index > from) into[at++] = COMMA;
    at = writeDouble(data[index]!, into, at);
  }
  return at;
}

/** Nothing that JSON.stringify would write otherwise than `writeDouble`: no -0, and only finite numbers. */
function isPlain(data: Float64Array, from: number, to: number): boolean {
  for (let index = from; index < to; index++) {
    const value = data[index]!;
    if (value - value !== 0 || Object.is(value, -0)) return false;
  }
  return true;
}

/** Where FP16 and BF16 are widened. */
const WIDENED = new Float32Array(STRIDE);

function writeHalves(
  data: Uint16Array,
  from: number,
  to: number,
  into: Uint8Array,
  at: number,
  toFloat: (bits: number) => number,
): number {
  for (let index = from; index < to; index++) WIDENED[index - from] = toFloat(data[index]!);
  return writeSingles(WIDENED, 0, to - from, into, at);
}

type SmallIntegers = Int8Array | Int16Array | Int32Array | Uint8Array | Uint16Array | Uint32Array;

function writeIntegers(data: SmallIntegers, from: number, to: number, into: Uint8Array, at: number): number {
  for (let index = from; index < to; index++) {
    if (index > from) into[at++] = COMMA;
    at = writeInteger(data[index]!, into, at);
  }
  return at;
}

/** Read as two 32-bit words: reading a bigint allocates one, and most fit a double. */
function writeLongs(
  data: BigInt64Array | BigUint64Array,
  from: number,
  to: number,
  into: Uint8Array,
  at: number,
): number {
  const words = new Uint32Array(data.buffer, data.byteOffset, data.length * 2);
  const isSigned = data instanceof BigInt64Array;
  for (let index = from; index < to; index++) {
    if (index > from) into[at++] = COMMA;
    const high = isSigned ? words[index * 2 + 1]! | 0 : words[index * 2 + 1]!;
    const value = high * 2 ** 32 + words[index * 2]!;
    if (Number.isSafeInteger(value)) at = writeInteger(value, into, at);
    else at = writeAscii(String(data[index]), into, at);
  }
  return at;
}

function writeBooleans(data: Uint8Array, from: number, to: number, into: Uint8Array, at: number): number {
  for (let index = from; index < to; index++) {
    if (index > from) into[at++] = COMMA;
    at = writeAscii(data[index] === 0 ? 'false' : 'true', into, at);
  }
  return at;
}

function writeTexts(name: string, data: BytesData, sink: JsonWriter, from: number, to: number): void {
  const { bytes, offsets } = data;
  for (let index = from; index < to; index++) {
    const start = offsets[index]!;
    const end = offsets[index + 1]!;
    // Checked one by one: two broken elements could make whole characters together.
    if (!isUtf8(bytes.subarray(start, end))) {
      throw invalidInput(
        `${name}[${index}]: expected UTF-8 text in a BYTES tensor that is answered as JSON, got other bytes; ask for it as binary data ("binary_data": true)`,
        { where: `${name}[${index}]`, expected: 'UTF-8 text' },
      );
    }
    if (index > from) sink.ascii(',');
    sink.utf8(bytes, start, end);
  }
}

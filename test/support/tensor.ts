/**
 * Tensors as the behaviour tests see them: plain arrays of plain values. Nothing under test/support/ imports from
 * src/, so that a fault there cannot hide itself by being on both sides of a comparison.
 */
export type Value = number | bigint | boolean | string;

export interface PlainTensor {
  readonly name: string;
  /** As OIP names it. */
  readonly datatype: string;
  readonly shape: readonly number[];
  /** Row-major. bigint for INT64 and UINT64, boolean for BOOL, string for BYTES, number for the rest. */
  readonly values: readonly Value[];
}

export function tensor(
  name: string,
  datatype: string,
  shape: readonly number[],
  values: readonly Value[],
): PlainTensor {
  return { name, datatype, shape, values };
}

/** Little-endian bytes of the values, as OIP's binary extension and ONNX's raw_data lay them out. */
export function toBytes({ datatype, values }: Pick<PlainTensor, 'datatype' | 'values'>): Buffer {
  if (datatype === 'BYTES') return Buffer.concat(values.map((value) => lengthPrefixed(String(value))));
  const size = elementSize(datatype);
  const buffer = Buffer.alloc(values.length * size);
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  const write = WRITERS[datatype];
  if (write === undefined) throw new Error(`no writer for ${datatype}`);
  for (const [i, value] of values.entries()) write(view, i * size, value);
  return buffer;
}

/** Reads all of `bytes`; throws where they are no whole number of elements. */
export function fromBytes(datatype: string, bytes: Buffer): Value[] {
  if (datatype === 'BYTES') return readStrings(bytes);
  const size = elementSize(datatype);
  if (bytes.length % size !== 0) throw new Error(`${bytes.length} bytes are no whole ${datatype} elements`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read = READERS[datatype];
  if (read === undefined) throw new Error(`no reader for ${datatype}`);
  return Array.from({ length: bytes.length / size }, (_, i) => read(view, i * size));
}

export function elementSize(datatype: string): number {
  if (datatype === 'BOOL') return 1;
  return Number(/\d+$/.exec(datatype)?.[0]) / 8;
}

const WRITERS: Record<string, (view: DataView, at: number, value: Value) => void> = {
  BOOL: (view, at, value) => view.setUint8(at, value === true ? 1 : 0),
  UINT8: (view, at, value) => view.setUint8(at, Number(value)),
  UINT16: (view, at, value) => view.setUint16(at, Number(value), true),
  UINT32: (view, at, value) => view.setUint32(at, Number(value), true),
  UINT64: (view, at, value) => view.setBigUint64(at, BigInt(value), true),
  INT8: (view, at, value) => view.setInt8(at, Number(value)),
  INT16: (view, at, value) => view.setInt16(at, Number(value), true),
  INT32: (view, at, value) => view.setInt32(at, Number(value), true),
  INT64: (view, at, value) => view.setBigInt64(at, BigInt(value), true),
  FP16: (view, at, value) => view.setUint16(at, toHalf(Number(value)), true),
  FP32: (view, at, value) => view.setFloat32(at, Number(value), true),
  FP64: (view, at, value) => view.setFloat64(at, Number(value), true),
};

const READERS: Record<string, (view: DataView, at: number) => Value> = {
  BOOL: (view, at) => view.getUint8(at) !== 0,
  UINT8: (view, at) => view.getUint8(at),
  UINT16: (view, at) => view.getUint16(at, true),
  UINT32: (view, at) => view.getUint32(at, true),
  UINT64: (view, at) => view.getBigUint64(at, true),
  INT8: (view, at) => view.getInt8(at),
  INT16: (view, at) => view.getInt16(at, true),
  INT32: (view, at) => view.getInt32(at, true),
  INT64: (view, at) => view.getBigInt64(at, true),
  FP16: (view, at) => fromHalf(view.getUint16(at, true)),
  FP32: (view, at) => view.getFloat32(at, true),
  FP64: (view, at) => view.getFloat64(at, true),
};

function lengthPrefixed(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function readStrings(bytes: Buffer): string[] {
  const strings: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    const end = at + 4 + length;
    if (end > bytes.length) throw new Error('a BYTES element reaches beyond the data');
    strings.push(bytes.toString('utf8', at + 4, end));
    at = end;
  }
  return strings;
}

/** IEEE 754 binary16, by its definition: 1 sign, 5 exponent (bias 15), 10 fraction bits. */
export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Nearest half, ties to even: the neighbours are searched in the (monotonic) order of the bit patterns. */
export function toHalf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (magnitude >= 65520) return sign | 0x7c00;
  let low = 0;
  let high = 0x7c00;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (fromHalf(middle) <= magnitude) low = middle;
    else high = middle;
  }
  const below = magnitude - fromHalf(low);
  const above = (high === 0x7c00 ? 65536 : fromHalf(high)) - magnitude;
  const nearest = below < above || (below === above && low % 2 === 0) ? low : high;
  return sign | nearest;
}

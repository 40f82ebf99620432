import { invalidInput, type NimifyError } from '../base/errors/nimify-error.ts';
import { ARRAY_OF, type Datatype, type FixedDatatype } from '../base/tensor/datatype.ts';
import { type BytesData, elementCount, type TensorData } from '../base/tensor/tensor.ts';

/** An array as NumPy's `save` wrote it, its elements in C order and this machine's byte order. */
export interface NpyArray {
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

interface NpyHeader {
  /** Such as `<f4`: byte order, kind, size. */
  readonly descr: string;
  readonly isFortranOrder: boolean;
  readonly shape: readonly number[];
  /** Where the elements begin. */
  readonly dataAt: number;
}

interface ElementType {
  readonly datatype: Datatype;
  readonly kind: 'number' | 'ucs4' | 'bytes';
  readonly sizeBytes: number;
  readonly isBigEndian: boolean;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] as const;
/** NumPy itself refuses headers above 10 000 bytes. */
const MAX_HEADER_BYTES = 64 * 1024;

const NUMBER_TYPES: ReadonlyMap<string, FixedDatatype> = new Map([
  ['b1', 'BOOL'],
  ['u1', 'UINT8'],
  ['u2', 'UINT16'],
  ['u4', 'UINT32'],
  ['u8', 'UINT64'],
  ['i1', 'INT8'],
  ['i2', 'INT16'],
  ['i4', 'INT32'],
  ['i8', 'INT64'],
  ['f2', 'FP16'],
  ['f4', 'FP32'],
  ['f8', 'FP64'],
]);

/**
 * Reads a .npy file, versions 1 to 3 of the format (NEP 1; numpy/lib/format.py). Fixed-width strings (`U`, `S`)
 * become BYTES, as UTF-8, without the NULs that pad them. The data are copied once and aligned.
 * @param where the file's name, for errors
 * @throws NimifyError INVALID_INPUT
 */
export function readNpy(bytes: Uint8Array, where: string): NpyArray {
  const header = readHeader(bytes, where);
  const type = toElementType(header.descr, where);
  const count = elementCount(header.shape);
  const available = bytes.byteLength - header.dataAt;
  const needed = count * type.sizeBytes;
  if (!Number.isSafeInteger(needed) || needed !== available || count > bytes.byteLength) {
    throw broken(where, `${needed} bytes of elements for the shape [${header.shape}]`, `${available} bytes`);
  }
  const inOrder = new Uint8Array(bytes.subarray(header.dataAt));
  const elements = header.isFortranOrder ? toRowMajor(inOrder, header.shape, type.sizeBytes) : inOrder;
  return { datatype: type.datatype, shape: header.shape, data: toData(elements, count, type, where) };
}

function readHeader(bytes: Uint8Array, where: string): NpyHeader {
  if (bytes.byteLength < 12 || MAGIC.some((byte, at) => bytes[at] !== byte)) {
    throw broken(where, 'a .npy file, which begins with \\x93NUMPY', 'something else');
  }
  const version = bytes[6]!;
  if (version < 1 || version > 3) throw broken(where, 'version 1, 2 or 3 of the format', `${version}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const textAt = version === 1 ? 10 : 12;
  const textLength = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (textLength > MAX_HEADER_BYTES || textAt + textLength > bytes.byteLength) {
    throw broken(where, 'a header within the file', `a header of ${textLength} bytes`);
  }
  const text = new TextDecoder().decode(bytes.subarray(textAt, textAt + textLength));
  const descr = /['"]descr['"]\s*:\s*['"]([^'"]*)['"]/.exec(text)?.[1];
  const order = /['"]fortran_order['"]\s*:\s*(True|False)/.exec(text)?.[1];
  const dimensions = /['"]shape['"]\s*:\s*\(([\dL,\s]*)\)/.exec(text)?.[1];
  if (descr === undefined && /['"]descr['"]\s*:\s*\[/.test(text)) {
    throw broken(where, 'an array of plain numbers or strings; save each column by itself', 'a record array');
  }
  if (descr === undefined || order === undefined || dimensions === undefined) {
    throw broken(where, 'a header with descr, fortran_order and shape', shorten(text));
  }
  return {
    descr,
    isFortranOrder: order === 'True',
    shape: toShape(dimensions, where),
    dataAt: textAt + textLength,
  };
}

function toShape(text: string, where: string): readonly number[] {
  const parts = text.split(',').map((part) => part.trim().replace(/L$/, ''));
  const shape = parts.filter((part) => part !== '').map(Number);
  if (Number.isNaN(elementCount(shape))) throw broken(where, 'a shape of sizes', `(${text})`);
  return shape;
}

function toElementType(descr: string, where: string): ElementType {
  const [, order, kind, size] = /^([<>|=]?)([a-zA-Z])(\d*)$/.exec(descr) ?? [];
  const isBigEndian = order === '>';
  const datatype = NUMBER_TYPES.get(`${kind}${size}`);
  if (datatype !== undefined) return { datatype, kind: 'number', sizeBytes: Number(size), isBigEndian };
  if ((kind === 'U' || kind === 'S') && size !== undefined && size !== '') {
    const isText = kind === 'U';
    const sizeBytes = Number(size) * (isText ? 4 : 1);
    return { datatype: 'BYTES', kind: isText ? 'ucs4' : 'bytes', sizeBytes, isBigEndian };
  }
  const fix = kind === 'O' ? "objects are pickled; save array.astype('U')" : "save array.astype('float32')";
  throw broken(where, `a dtype of numbers, bool or strings (${fix})`, `dtype '${descr}'`);
}

/** Elements in Fortran order (first axis fastest) into C order (last axis fastest), whatever their size. */
function toRowMajor(source: Uint8Array, shape: readonly number[], sizeBytes: number): Uint8Array {
  const target = new Uint8Array(source.byteLength);
  const strides: number[] = [];
  let stride = sizeBytes;
  for (const dimension of shape) {
    strides.push(stride);
    stride *= dimension;
  }
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < target.byteLength; to += sizeBytes) {
    target.set(source.subarray(from, from + sizeBytes), to);
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      index[axis]! += 1;
      from += strides[axis]!;
      if (index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return target;
}

function toData(elements: Uint8Array, count: number, type: ElementType, where: string): TensorData {
  if (type.datatype === 'BYTES') return toStrings(elements, count, type, where);
  if (type.isBigEndian) swapBytes(elements, type.sizeBytes);
  if (type.datatype === 'BOOL') return elements.map((byte) => (byte === 0 ? 0 : 1));
  return new ARRAY_OF[type.datatype](elements.buffer as ArrayBuffer, elements.byteOffset, count);
}

function swapBytes(elements: Uint8Array, sizeBytes: number): void {
  for (let at = 0; at < elements.byteLength; at += sizeBytes) elements.subarray(at, at + sizeBytes).reverse();
}

function toStrings(elements: Uint8Array, count: number, type: ElementType, where: string): BytesData {
  const offsets = new Uint32Array(count + 1);
  const parts: Uint8Array[] = [];
  for (let index = 0; index < count; index += 1) {
    const cell = elements.subarray(index * type.sizeBytes, (index + 1) * type.sizeBytes);
    const part = type.kind === 'ucs4' ? fromUcs4(cell, type.isBigEndian, where) : withoutPadding(cell);
    parts.push(part);
    offsets[index + 1] = offsets[index]! + part.byteLength;
  }
  return { bytes: Buffer.concat(parts), offsets };
}

function withoutPadding(cell: Uint8Array): Uint8Array {
  let end = cell.byteLength;
  while (end > 0 && cell[end - 1] === 0) end -= 1;
  return cell.subarray(0, end);
}

function fromUcs4(cell: Uint8Array, isBigEndian: boolean, where: string): Uint8Array {
  const view = new DataView(cell.buffer, cell.byteOffset, cell.byteLength);
  const points: number[] = [];
  for (let at = 0; at < cell.byteLength; at += 4) {
    const point = view.getUint32(at, !isBigEndian);
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
      throw broken(where, 'strings of Unicode characters', `the code point 0x${point.toString(16)}`);
    }
    points.push(point);
  }
  while (points.at(-1) === 0) points.pop();
  return new TextEncoder().encode(points.map((point) => String.fromCodePoint(point)).join(''));
}

function shorten(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
}

function broken(where: string, expected: string, got: string): NimifyError {
  return invalidInput(`${where}: expected ${expected}, got ${got}`, { where, expected, got });
}

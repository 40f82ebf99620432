import { invalidInput } from '../errors/nimify-error.ts';
import { wrapBytes } from '../tensor/allocate.ts';
import { type Datatype, elementSizeBytes } from '../tensor/datatype.ts';
import { type BytesData, isBytesData, type Tensor, type TensorData } from '../tensor/tensor.ts';
import { elementsText, mismatchError } from './json-error.ts';

/**
 * Triton's binary tensor data extension (server repository, docs/protocol/extension_binary_data.md): row-major,
 * little-endian, no padding. BOOL is one byte, 0 or 1; a BYTES element is its length as an unsigned 32-bit
 * integer, then its bytes.
 */
const PREFIX_BYTES = 4;

/**
 * The section of one tensor as its elements: a view where aligned, else one copy; BYTES is always copied.
 * @throws NimifyError INVALID_INPUT at `where` unless the section holds exactly `count` elements
 */
export function decodeSection(
  section: Uint8Array,
  datatype: Datatype,
  count: number,
  where: string,
): TensorData {
  if (datatype === 'BYTES') return decodeBytesSection(section, count, where);
  const expected = count * elementSizeBytes(datatype);
  if (section.byteLength !== expected) {
    throw mismatchError(
      where,
      `${expected} bytes (${elementsText(count)} of ${datatype})`,
      `${section.byteLength} bytes`,
    );
  }
  if (datatype === 'BOOL') expectBooleans(section, where);
  return wrapBytes(datatype, section);
}

/** ONNX Runtime reads BOOL as C++ bool, where any other byte is undefined behaviour. */
function expectBooleans(section: Uint8Array, where: string): void {
  for (let index = 0; index < section.length; index++) {
    if (section[index]! > 1) {
      throw mismatchError(where, 'bytes of value 0 or 1 (BOOL)', `${section[index]} at element ${index}`);
    }
  }
}

function decodeBytesSection(section: Uint8Array, count: number, where: string): BytesData {
  // Checked before anything is reserved: a shape may lie about the count.
  if (count * PREFIX_BYTES > section.byteLength) {
    throw mismatchError(
      where,
      `${elementsText(count)} of BYTES, each with a length of ${PREFIX_BYTES} bytes before it`,
      `${section.byteLength} bytes`,
    );
  }
  const view = new DataView(section.buffer, section.byteOffset, section.byteLength);
  const offsets = new Uint32Array(count + 1);
  const bytes = new Uint8Array(section.byteLength - count * PREFIX_BYTES);
  let at = 0;
  let written = 0;
  for (let index = 0; index < count; index++) {
    const rest = section.byteLength - at - PREFIX_BYTES;
    const length = rest < 0 ? 0 : view.getUint32(at, true);
    if (rest < length) {
      throw mismatchError(
        where,
        `element ${index} within the section`,
        `it ends past byte ${section.byteLength}`,
      );
    }
    at += PREFIX_BYTES;
    // The room is all bytes that are no length, so an early overlong element cannot write past it unseen.
    if (written + length > bytes.length) {
      throw mismatchError(
        where,
        `${elementsText(count)} of BYTES`,
        `${section.byteLength} bytes that end in element ${index}`,
      );
    }
    bytes.set(section.subarray(at, at + length), written);
    at += length;
    written += length;
    offsets[index + 1] = written;
  }
  if (at !== section.byteLength) {
    throw mismatchError(
      where,
      `${at} bytes (${elementsText(count)} of BYTES)`,
      `${section.byteLength} bytes`,
    );
  }
  return { bytes, offsets };
}

/** The tensor's section for the wire: the elements' own bytes, without a copy; BYTES gets its lengths, in one. */
export function encodeSection(tensor: Tensor): Uint8Array {
  const { data } = tensor;
  if (!isBytesData(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const { bytes, offsets } = data;
  const count = offsets.length - 1;
  const size = offsets[count]! - offsets[0]! + count * PREFIX_BYTES;
  if (size > 0x7fff_ffff) throw invalidInput(`output '${tensor.name}' is larger than 2 GiB as binary data`);
  const section = new Uint8Array(size);
  const view = new DataView(section.buffer);
  let at = 0;
  for (let index = 0; index < count; index++) {
    const from = offsets[index]!;
    const to = offsets[index + 1]!;
    view.setUint32(at, to - from, true);
    section.set(bytes.subarray(from, to), at + PREFIX_BYTES);
    at += PREFIX_BYTES + to - from;
  }
  return section;
}

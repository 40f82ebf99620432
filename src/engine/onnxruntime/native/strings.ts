import { allocateUncleared } from '../../../base/tensor/allocate.ts';
import type { BytesData } from '../../../base/tensor/tensor.ts';
import { checkText } from '../text.ts';
import type { Address } from './c-api.ts';
import type { Library } from './library.ts';

/**
 * Copies text into a tensor of strings: ONNX Runtime keeps a `std::string` for each element.
 * @param name of the input, for errors
 * @throws NimifyError INVALID_INPUT for text that cannot be passed unchanged; Error with the native text
 */
export function fillStrings(library: Library, tensor: Address, name: string, data: BytesData): void {
  const { bytes, offsets } = data;
  const count = offsets.length - 1;
  if (count === 0) return;
  checkText(name, data);
  // In one buffer, so that the pointers keep alive what they point to.
  const buffer = new ArrayBuffer(count * 8 + offsets[count]! - offsets[0]! + count);
  const pointers = new BigUint64Array(buffer, 0, count);
  const ended = new Uint8Array(buffer, count * 8);
  const address = library.addressOf(ended);
  let at = 0;
  for (let index = 0; index < count; index++) {
    pointers[index] = BigInt(address + at);
    ended.set(bytes.subarray(offsets[index]!, offsets[index + 1]!), at);
    at += offsets[index + 1]! - offsets[index]! + 1; // the buffer was cleared, so a zero follows
  }
  library.check(library.api.fillStringTensor(tensor, pointers, count));
}

/** The elements of a tensor of strings, copied. @throws Error with the native text; where they fill over 4 GiB */
export function readStrings({ api, check, made }: Library, tensor: Address, count: number): BytesData {
  const offsets = new Uint32Array(count + 1);
  if (count === 0) return { bytes: new Uint8Array(0), offsets };
  const sizeBytes = made((out) => api.getStringTensorDataLength(tensor, out));
  if (sizeBytes > MOST_BYTES) throw new Error(`bad allocation: ${sizeBytes} bytes of text`);
  // Without text, there would be no address to pass.
  const bytes = allocateUncleared('UINT8', Math.max(1, sizeBytes));
  const starts = new BigUint64Array(new ArrayBuffer(count * 8));
  check(api.getStringTensorContent(tensor, bytes, sizeBytes, starts, count));
  for (let index = 0; index < count; index++) offsets[index] = Number(starts[index]);
  offsets[count] = sizeBytes;
  return { bytes: bytes.subarray(0, sizeBytes), offsets };
}

/** What offsets of 32 bits reach. */
const MOST_BYTES = 2 ** 32 - 1;

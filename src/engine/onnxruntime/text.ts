import { isUtf8 } from 'node:buffer';
import { invalidInput } from '../../base/errors/nimify-error.ts';
import type { BytesData } from '../../base/tensor/tensor.ts';

/**
 * ONNX strings are UTF-8, and the native side ends them at a zero byte. Text that would come out changed is
 * refused rather than changed.
 *
 * @param name of the input
 * @throws NimifyError INVALID_INPUT
 */
export function checkText(name: string, { bytes, offsets }: BytesData): void {
  const count = offsets.length - 1;
  const start = offsets[0]!;
  const all = Buffer.from(bytes.buffer, bytes.byteOffset + start, offsets[count]! - start);
  if (!isUtf8(all) || all.includes(0)) refuse(name, all, offsets);
  for (let index = 0; index < count; index++) {
    const from = offsets[index]! - start;
    // The whole is UTF-8, so an element is too unless it begins in the middle of a character.
    if (from < all.length && (all[from]! & 0xc0) === 0x80) refuse(name, all, offsets);
  }
}

function refuse(name: string, all: Buffer, offsets: Uint32Array): never {
  const start = offsets[0]!;
  for (let index = 0; index < offsets.length - 1; index++) {
    const element = all.subarray(offsets[index]! - start, offsets[index + 1]! - start);
    const fault = !isUtf8(element)
      ? 'is no valid UTF-8'
      : element.includes(0)
        ? 'holds a zero byte'
        : undefined;
    if (fault === undefined) continue;
    throw invalidInput(
      `input '${name}': element ${index} ${fault}; ONNX Runtime takes UTF-8 text without zero bytes, send other ` +
        'bytes as base64 or as a UINT8 tensor where the model has one',
      { where: `inputs.${name}.data[${index}]`, expected: 'UTF-8 text without zero bytes', got: fault },
    );
  }
  throw invalidInput(`input '${name}': the elements do not cover the bytes`, {
    where: `inputs.${name}.data`,
  });
}

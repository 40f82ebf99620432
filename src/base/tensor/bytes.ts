import type { BytesData } from './tensor.ts';

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder('utf-8', { ignoreBOM: true });

/** The strings as UTF-8, packed one after the other. A lone surrogate becomes U+FFFD. */
export function toBytesData(strings: readonly string[]): BytesData {
  let capacity = 0;
  for (const text of strings) capacity += text.length * 3; // UTF-16 units never need more in UTF-8
  const bytes = new Uint8Array(capacity);
  const offsets = new Uint32Array(strings.length + 1);
  let at = 0;
  for (let index = 0; index < strings.length; index++) {
    at += ENCODER.encodeInto(strings[index]!, bytes.subarray(at)).written;
    offsets[index + 1] = at;
  }
  return { bytes: bytes.subarray(0, at), offsets };
}

/** The elements as strings. Bytes that are no UTF-8 become U+FFFD; a byte order mark is kept. */
export function toStrings(data: BytesData): string[] {
  const count = data.offsets.length - 1;
  const strings = new Array<string>(count);
  for (let index = 0; index < count; index++) {
    strings[index] = DECODER.decode(data.bytes.subarray(data.offsets[index]!, data.offsets[index + 1]!));
  }
  return strings;
}

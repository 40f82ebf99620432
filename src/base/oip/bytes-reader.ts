import type { ElementReader } from './element-reader.ts';
import type { Where } from './json-error.ts';
import { copyText, createStringToken, scanString } from './json-string.ts';
import { readElements } from './read-elements.ts';

/** Strings, kept as UTF-8. Bytes that are no text travel as binary data only. */
export function createBytesReader(bytes: Uint8Array, capacity: number): ElementReader {
  const token = createStringToken();
  let offsets = new Uint32Array(capacity + 1);
  let text = new Uint8Array(0);
  let count = 0;
  let size = 0;

  function read(at: number, where: Where): number {
    const end = scanString(bytes, at, token, where);
    const needed = size + token.end - token.start;
    if (needed > text.length) {
      // All the text there is never takes more than the JSON that is left, so growing stops there.
      const larger = new Uint8Array(
        Math.min(Math.max(needed, text.length * 2, 64), size + bytes.length - at),
      );
      larger.set(text.subarray(0, size));
      text = larger;
    }
    size = copyText(bytes, token, text, size);
    if (count + 1 === offsets.length) {
      const larger = new Uint32Array(Math.max(16, offsets.length * 2));
      larger.set(offsets);
      offsets = larger;
    }
    count += 1;
    offsets[count] = size;
    return end;
  }

  return {
    read,
    readElements: (at, where) => readElements(bytes, at, where, read, (at) => at),
    count: () => count,
    take: () => ({ bytes: text.subarray(0, size), offsets: offsets.subarray(0, count + 1) }),
  };
}

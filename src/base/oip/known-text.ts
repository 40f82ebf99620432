/**
 * The texts of short ASCII strings, from a table of those that were met before: the keys and names of one request are
 * those of the next, and a string that is there already costs a tenth of one that is made.
 *
 * Direct-mapped: each text has one place by its hash, and a new one takes the place of the old. So the table stays
 * as small as it is, whatever clients send.
 */
const PLACES = 512;
export const LONGEST_KNOWN = 32;

const DECODER = new TextDecoder();
const texts = new Array<string>(PLACES).fill('');

/** The text of bytes [start, end): ASCII, and at most `LONGEST_KNOWN` of them. */
export function knownText(bytes: Uint8Array, start: number, end: number): string {
  let hash = 0;
  for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + bytes[at]!) | 0;
  const place = (hash ^ (hash >>> 9)) & (PLACES - 1);
  const known = texts[place]!;
  if (isText(known, bytes, start, end)) return known;
  const text = DECODER.decode(bytes.subarray(start, end));
  texts[place] = text;
  return text;
}

function isText(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) !== bytes[start + index]) return false;
  }
  return true;
}

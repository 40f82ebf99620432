import { expectedError, type Where } from '../../../base/oip/json-error.ts';
import { asciiText, createNumberToken, scanNumber } from '../../../base/oip/json-number.ts';
import { type ByteRange, readString, scanArray, scanObject, shorten } from '../../../base/oip/json-object.ts';
import { skipValue } from '../../../base/oip/json-value.ts';

const QUOTE = 0x22;
const OPEN_BRACE = 0x7b;

export type Members = ReadonlyMap<string, ByteRange>;

/** The members of the object at `at`, which need not be the whole of `bytes`; values are proven but not read. */
export function membersAt(
  bytes: Uint8Array,
  at: number,
  where: Where,
): { readonly members: Members; readonly end: number } {
  const members = new Map<string, ByteRange>();
  const end = scanObject(bytes, at, where, (key, start) => {
    const path = () => `${typeof where === 'string' ? where : where()}.${shorten(key)}`;
    const valueEnd = skipValue(bytes, start, path);
    members.set(key, { start, end: valueEnd });
    return valueEnd;
  });
  return { members, end };
}

export function isObjectAt(bytes: Uint8Array, range: ByteRange): boolean {
  return bytes[range.start] === OPEN_BRACE;
}

/** The text of a member that must be a string; undefined where it is absent. */
export function stringMember(bytes: Uint8Array, members: Members, key: string): string | undefined {
  const range = members.get(key);
  return range === undefined ? undefined : readString(bytes, range.start, key).text;
}

/** A version is written "2" or 2. */
export function versionMember(bytes: Uint8Array, members: Members): string | undefined {
  const range = members.get('version');
  if (range === undefined) return undefined;
  if (bytes[range.start] === QUOTE) return readString(bytes, range.start, 'version').text;
  const token = createNumberToken();
  if (scanNumber(bytes, range.start, token) !== range.end || !token.integral) {
    throw expectedError('version', 'a string or a whole number', bytes, range.start);
  }
  return asciiText(bytes, range.start, range.end);
}

/** A list of strings; undefined where the member is absent. */
export function stringsMember(bytes: Uint8Array, members: Members, key: string): string[] | undefined {
  const range = members.get(key);
  if (range === undefined) return undefined;
  const texts: string[] = [];
  scanArray(bytes, range.start, key, (index, at) => {
    const { text, end } = readString(bytes, at, () => `${key}[${index}]`);
    texts.push(text);
    return end;
  });
  return texts;
}

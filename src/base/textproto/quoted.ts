const ENCODER = new TextEncoder();

/** Escapes of one character, as bytes. */
const SIMPLE: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  '?': 63,
  '\\': 92,
  "'": 39,
  '"': 34,
};

const PLAIN = /[^"'\\\n]+/y;
const OCTAL = /[0-7]{1,3}/y;
const HEX = /[xX]([0-9a-fA-F]{1,2})/y;
const UNICODE = /u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})/y;
const LOW_SURROGATE = /\\u([dD][c-fC-F][0-9a-fA-F]{2})/y;

export interface Quoted {
  readonly bytes: Uint8Array;
  /** Offset behind the closing quote. */
  readonly end: number;
}

/**
 * Reads a string literal that begins at `start` with its quote. A line break ends it only by an escape.
 * @param fail is told the offset of what is wrong, and must throw
 */
export function readQuoted(
  text: string,
  start: number,
  fail: (offset: number, says: string) => never,
): Quoted {
  const quote = text[start]!;
  const parts: Uint8Array[] = [];
  let at = start + 1;

  function match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found === null) return undefined;
    at += found[0].length;
    return found;
  }

  /** `at` stands behind the backslash. */
  function readEscape(from: number): Uint8Array {
    const octal = match(OCTAL)?.[0];
    if (octal !== undefined) {
      const byte = Number.parseInt(octal, 8);
      if (byte > 255) return fail(from, `\\${octal} is more than a byte; the largest is \\377`);
      return Uint8Array.of(byte);
    }
    const hex = match(HEX)?.[1];
    if (hex !== undefined) return Uint8Array.of(Number.parseInt(hex, 16));
    const unicode = match(UNICODE);
    if (unicode !== undefined) return readCodePoint(from, Number.parseInt(unicode[1] ?? unicode[2]!, 16));
    const character = text[at] ?? '';
    const simple = Object.hasOwn(SIMPLE, character) ? SIMPLE[character] : undefined;
    if (simple === undefined) {
      return fail(from, `\\${character === '\n' ? '' : character} is no escape; write \\\\ for a backslash`);
    }
    at += 1;
    return Uint8Array.of(simple);
  }

  /** Two escapes that are the halves of one character count as that character, as in protobuf's C++ reader. */
  function readCodePoint(from: number, code: number): Uint8Array {
    const isHigh = code >= 0xd800 && code <= 0xdbff;
    const low = isHigh ? match(LOW_SURROGATE)?.[1] : undefined;
    const whole =
      low === undefined ? code : 0x10000 + ((code - 0xd800) << 10) + (Number.parseInt(low, 16) - 0xdc00);
    const shown = `U+${whole.toString(16).toUpperCase().padStart(4, '0')}`;
    if (whole > 0x10ffff) return fail(from, `${shown} is beyond the last character, U+10FFFF`);
    if (whole >= 0xd800 && whole <= 0xdfff) return fail(from, `${shown} is half a character`);
    return ENCODER.encode(String.fromCodePoint(whole));
  }

  while (text[at] !== quote) {
    const character = text[at];
    if (character === undefined || character === '\n') {
      return fail(start, `the text is not closed on this line; close it with ${quote}, break lines with \\n`);
    }
    if (character === '\\') {
      const from = at;
      at += 1;
      parts.push(readEscape(from));
    } else if (character === '"' || character === "'") {
      at += 1;
      parts.push(ENCODER.encode(character));
    } else parts.push(ENCODER.encode(match(PLAIN)![0]));
  }
  return { bytes: joinBytes(parts), end: at + 1 };
}

export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const joined = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

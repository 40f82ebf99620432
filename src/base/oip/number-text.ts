/**
 * Writes numbers as JSON text straight into bytes. A call writes at most `LONGEST_NUMBER` bytes and returns
 * where the text ends.
 */
export const LONGEST_NUMBER = 32;

const ZERO = 0x30;
const MINUS = 0x2d;

const BILLION = 1e9;

/** An integer of at most 2^53 in magnitude; -0 loses its sign. */
export function writeInteger(value: number, into: Uint8Array, at: number): number {
  if (value < 0) {
    into[at++] = MINUS;
    value = -value;
  }
  if (value < BILLION) return writeDigits(value, countDigits(value), into, at);
  const high = Math.floor(value / BILLION);
  at = writeDigits(high, countDigits(high), into, at);
  return writeDigits(value - high * BILLION, 9, into, at);
}

/** The two digits of each number below 100. */
const PAIRS = Uint8Array.from({ length: 200 }, (_, index) =>
  index % 2 === 0 ? ZERO + Math.floor(index / 20) : ZERO + (((index - 1) / 2) % 10),
);

/** `digits` digits of `value` < 2^31, with leading zeros. */
export function writeDigits(value: number, digits: number, into: Uint8Array, at: number): number {
  const end = at + digits;
  let index = end;
  while (index - at >= 2) {
    const rest = (value / 100) | 0;
    const pair = (value - rest * 100) << 1;
    into[index - 1] = PAIRS[pair + 1]!;
    into[index - 2] = PAIRS[pair]!;
    index -= 2;
    value = rest;
  }
  if (index > at) into[at] = ZERO + value;
  return end;
}

export function countDigits(value: number): number {
  if (value < 1e5) return value < 1e2 ? (value < 10 ? 1 : 2) : value < 1e3 ? 3 : value < 1e4 ? 4 : 5;
  if (value < 1e8) return value < 1e6 ? 6 : value < 1e7 ? 7 : 8;
  return value < 1e9 ? 9 : 10;
}

/** `text`, all ASCII. */
export function writeAscii(text: string, into: Uint8Array, at: number): number {
  for (let index = 0; index < text.length; index++) into[at++] = text.charCodeAt(index);
  return at;
}

/** A double with the shortest digits that give it back, as JavaScript prints it. */
export function writeDouble(value: number, into: Uint8Array, at: number): number {
  if (!Number.isFinite(value)) return writeNonFinite(value, into, at);
  if (value === 0) return writeZero(value, into, at);
  const isShortInteger = Math.abs(value) < 2 ** 53 && Number.isInteger(value);
  return isShortInteger ? writeInteger(value, into, at) : writeAscii(String(value), into, at);
}

/** JSON has no such numbers: they become strings, which Python's float() and JavaScript's Number() read. */
export function writeNonFinite(value: number, into: Uint8Array, at: number): number {
  return writeAscii(Number.isNaN(value) ? '"NaN"' : value > 0 ? '"Infinity"' : '"-Infinity"', into, at);
}

/** "-0" would be read as an integer, and lose its sign, by Python. */
export function writeZero(value: number, into: Uint8Array, at: number): number {
  return writeAscii(Object.is(value, -0) ? '-0.0' : '0', into, at);
}

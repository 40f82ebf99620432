/**
 * Writes numbers as JSON text straight into bytes. A call writes at most `LONGEST_NUMBER` bytes and returns
 * where the text ends.
 */
export const LONGEST_NUMBER = 32;

const ZERO = 0x30;
const MINUS = 0x2d;
const PLUS = 0x2b;
const DOT = 0x2e;
const LOWER_E = 0x65;

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
function writeDigits(value: number, digits: number, into: Uint8Array, at: number): number {
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

function countDigits(value: number): number {
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
function writeNonFinite(value: number, into: Uint8Array, at: number): number {
  return writeAscii(Number.isNaN(value) ? '"NaN"' : value > 0 ? '"Infinity"' : '"-Infinity"', into, at);
}

/** "-0" would be read as an integer, and lose its sign, by Python. */
function writeZero(value: number, into: Uint8Array, at: number): number {
  return writeAscii(Object.is(value, -0) ? '-0.0' : '0', into, at);
}

const SINGLE = new Float32Array(1);
const SINGLE_BITS = new Uint32Array(SINGLE.buffer);
const POWERS = Float64Array.from({ length: 11 }, (_, exponent) => 10 ** exponent);

/**
 * By the 8 exponent bits of an FP32: half the distance to the next value, and the power of ten that brings the
 * values of that exponent as close below 2.1e9 (and so into 31 bits) as a power of ten can.
 */
const HALF_GAP = new Float64Array(255);
const SCALE = new Float64Array(255);
const SCALE_EXPONENT = new Int32Array(255);
for (let bits = 0; bits < 255; bits++) {
  const exponent = Math.max(bits, 1) - 127;
  HALF_GAP[bits] = 2 ** (exponent - 24);
  const power = Math.floor(Math.log10(2.1e9) - (exponent + 1) * Math.log10(2));
  SCALE_EXPONENT[bits] = power;
  SCALE[bits] = Number(`1e${power}`);
}

/**
 * Distance that a candidate keeps from the ends of its interval. Scaling is off by at most 2 roundings of a
 * number below 2.1e9, which is 5e-7.
 */
const MARGIN = 1e-6;

/**
 * An FP32 with the shortest digits that give it back: 0.1, not 0.10000000149011612.
 *
 * Every decimal between the midpoints to the two neighbours rounds to the value, also by way of a double, since
 * both midpoints are doubles. The interval is scaled so that its ends have 9 or 10 digits before the point; it
 * then holds an integer, for it is over 9 wide. Digits are dropped for as long as a shorter number is left in
 * it, and the one next to the value is written. All of this is done in doubles: a decimal closer than the
 * margin to an end is passed by, which costs about one value in a million a digit and never the value.
 * (The search for the shortest decimal in the rounding interval: Steele and White, "How to print floating-point
 * numbers accurately", 1990.)
 */
export function writeSingle(value: number, into: Uint8Array, at: number): number {
  if ((value | 0) === value && value !== 0) return writeInteger(value, into, at);
  SINGLE[0] = value;
  const bits = SINGLE_BITS[0]!;
  const exponentBits = (bits >>> 23) & 0xff;
  if (exponentBits === 0xff) return writeNonFinite(value, into, at);
  if (value === 0) return writeZero(value, into, at);
  if (value < 0) {
    into[at++] = MINUS;
    value = -value;
  }
  const scale = SCALE[exponentBits]!;
  const gapAbove = HALF_GAP[exponentBits]!;
  // Below a power of two the values lie twice as close.
  const gapBelow = (bits & 0x7fffff) === 0 && exponentBits > 1 ? gapAbove / 2 : gapAbove;
  let lowest = Math.ceil((value - gapBelow) * scale + MARGIN) | 0;
  let highest = Math.floor((value + gapAbove) * scale - MARGIN) | 0;
  let dropped = 0;
  for (;;) {
    const shorterLowest = ((lowest + 9) / 10) | 0;
    const shorterHighest = (highest / 10) | 0;
    if (shorterLowest > shorterHighest) break;
    lowest = shorterLowest;
    highest = shorterHighest;
    dropped += 1;
  }
  const nearest = Math.round((value * scale) / POWERS[dropped]!);
  const digits = Math.min(Math.max(nearest, lowest), highest);
  return writeDecimal(digits, dropped - SCALE_EXPONENT[exponentBits]!, into, at);
}

/** `digits * 10^exponent` in the notation that JavaScript picks: plain from 1e-6 up to below 1e21. */
function writeDecimal(digits: number, exponent: number, into: Uint8Array, at: number): number {
  const count = countDigits(digits);
  const beforePoint = count + exponent;
  if (beforePoint > 21 || beforePoint <= -6) {
    at = writeWithPoint(digits, count, 1, into, at);
    into[at++] = LOWER_E;
    into[at++] = beforePoint > 0 ? PLUS : MINUS;
    const written = Math.abs(beforePoint - 1);
    return writeDigits(written, countDigits(written), into, at);
  }
  if (beforePoint <= 0) {
    into[at++] = ZERO;
    into[at++] = DOT;
    for (let zeros = beforePoint; zeros < 0; zeros++) into[at++] = ZERO;
    return writeDigits(digits, count, into, at);
  }
  if (beforePoint < count) return writeWithPoint(digits, count, beforePoint, into, at);
  at = writeDigits(digits, count, into, at);
  for (let zeros = count; zeros < beforePoint; zeros++) into[at++] = ZERO;
  return at;
}

/** `count` digits with a point after the first `before`; without it where nothing follows. */
function writeWithPoint(digits: number, count: number, before: number, into: Uint8Array, at: number): number {
  if (before === count) return writeDigits(digits, count, into, at);
  const after = POWERS[count - before]!;
  const whole = (digits / after) | 0;
  at = writeDigits(whole, before, into, at);
  into[at++] = DOT;
  return writeDigits(digits - whole * after, count - before, into, at);
}

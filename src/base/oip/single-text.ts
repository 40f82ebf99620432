import { countDigits, writeDigits, writeInteger, writeNonFinite, writeZero } from './number-text.ts';
import { DECIMALS, HALF_GAP, SCALE } from './single-scale.ts';

const COMMA = 0x2c;
const ZERO = 0x30;
const MINUS = 0x2d;
const PLUS = 0x2b;
const DOT = 0x2e;
const LOWER_E = 0x65;

const SINGLE = new Float32Array(1);
const SINGLE_BITS = new Uint32Array(SINGLE.buffer);
const POWERS = Float64Array.from({ length: 11 }, (_, exponent) => 10 ** exponent);

/** The two digits of each number below 100, the first in the low byte. */
const PAIRS = Uint16Array.from({ length: 100 }, (_, value) => {
  const tens = Math.floor(value / 10);
  return (ZERO + tens) | ((ZERO + value - tens * 10) << 8);
});

/** As `MARGIN` of single-scale.ts, for the search: it scales to numbers below 1.7e9. */
const SEARCH_MARGIN = 1e-6;

/** An FP32 as `writeSingles` writes it. At most `LONGEST_NUMBER` bytes. */
export function writeSingle(value: number, into: Uint8Array, at: number): number {
  ALONE[0] = value;
  return writeSingles(ALONE, 0, 1, into, at);
}

const ALONE = new Float32Array(1);

/**
 * Writes elements [from, to) with commas between them, each with the shortest digits that give it back: 0.1, not
 * 0.10000000149011612. There must be room for `LONGEST_NUMBER` bytes and a comma an element.
 *
 * Every decimal between the midpoints to the two neighbours rounds to the value, also by way of a double, since both
 * midpoints are doubles. The interval is scaled to a width from 1 to 10. So it holds at most one multiple of ten; if it
 * does, that without its zeros is the shortest. If not, the integers in it all have the fewest digits that there can be,
 * and the nearest one is written, which always lies in it: only values that are integers have one of width 1, and the
 * next wider one has 1.009. All of this is done in doubles: a decimal closer than the margin to an end is passed by,
 * which costs one value in some ten millions a digit and never the value. Powers of two, whose neighbour below is nearer
 * than that above, are left to `writeSearched`.
 * (The search for the shortest decimal in the rounding interval: Steele and White, "How to print floating-point
 * numbers accurately", 1990; that two widths suffice: Giulietti, "The Schubfach way to render doubles", 2020.)
 *
 * One loop rather than a call for each: numbers that go through a call are boxed.
 */
export function writeSingles(
  data: Float32Array,
  from: number,
  to: number,
  into: Uint8Array,
  at: number,
): number {
  const view = new DataView(into.buffer, into.byteOffset, into.length);
  for (let index = from; index < to; index++) {
    if (index > from) into[at++] = COMMA;
    let value = data[index]!;
    const integer = value | 0;
    if (integer === value && integer !== 0) {
      at = writeInteger(integer, into, at);
      continue;
    }
    SINGLE[0] = value;
    const bits = SINGLE_BITS[0]!;
    const exponentBits = (bits >>> 23) & 0xff;
    if (exponentBits === 0xff || (bits & 0x7fffff) === 0) {
      at = writeSpecial(value, into, at);
      continue;
    }
    if (value < 0) {
      into[at++] = MINUS;
      value = -value;
    }
    const scaled = value * SCALE[exponentBits]!;
    const half = HALF_GAP[exponentBits]!;
    const nearest = (scaled + 0.5) | 0;
    const tenth = (scaled * 0.1 + 0.5) | 0;
    // 1 where ten times `tenth` lies in the interval. As good as random, so the sign is taken without a branch.
    const isShorter = ((Math.abs(tenth * 10 - scaled) - half) * 2 ** 24) >>> 31;
    let digits = (nearest + Math.imul(isShorter, tenth - nearest)) | 0;
    let decimals = DECIMALS[exponentBits]! - isShorter;
    if (digits % 10 === 0) {
      if (digits % 10000 === 0) {
        digits = (digits / 10000) | 0;
        decimals -= 4;
      }
      while (digits % 10 === 0) {
        digits = (digits / 10) | 0;
        decimals -= 1;
      }
    }
    if (decimals <= 0 || value < 1e-6) {
      at = writeDecimal(digits, -decimals, into, at);
      continue;
    }
    if (decimals > 9) {
      into[at] = ZERO;
      into[at + 1] = DOT;
      at += 2;
      for (let zeros = decimals; zeros > 9; zeros--) into[at++] = ZERO;
      writeNine(digits, view, at);
      at += 9;
      continue;
    }
    const power = POWERS[decimals]!;
    const whole = (digits / power) | 0;
    if (whole < 10) into[at++] = ZERO + whole;
    else at = writeDigits(whole, countDigits(whole), into, at);
    into[at] = DOT;
    writeNine(((digits - whole * power) * POWERS[9 - decimals]!) | 0, view, at + 1);
    at += 1 + decimals;
  }
  return at;
}

/** Zero, what is not finite, and powers of two. */
function writeSpecial(value: number, into: Uint8Array, at: number): number {
  if (value - value !== 0) return writeNonFinite(value, into, at);
  if (value === 0) return writeZero(value, into, at);
  if (value > 0) return writeSearched(value, into, at);
  into[at] = MINUS;
  return writeSearched(-value, into, at + 1);
}

/** All nine digits of `value` < 10^9: those that count come first, and the caller knows how many they are. */
function writeNine(value: number, view: DataView, at: number): void {
  const upper = (value / 10000) | 0;
  const lower = value - upper * 10000;
  const first = (upper / 10000) | 0;
  const middle = upper - first * 10000;
  view.setUint8(at, ZERO + first);
  writeFour(middle, view, at + 1);
  writeFour(lower, view, at + 5);
}

function writeFour(value: number, view: DataView, at: number): void {
  const upper = (value / 100) | 0;
  view.setInt32(at, PAIRS[upper]! | (PAIRS[value - upper * 100]! << 16), true);
}

/**
 * A positive value. Digits are dropped one after the other for as long as a shorter number is left in the interval.
 */
function writeSearched(value: number, into: Uint8Array, at: number): number {
  SINGLE[0] = value;
  const bits = SINGLE_BITS[0]!;
  const exponentBits = bits >>> 23;
  const power = DECIMALS[exponentBits]! + 1;
  const scale = Number(`1e${power}`);
  const gapAbove = 2 ** (Math.max(exponentBits, 1) - 151);
  const isPowerOfTwo = (bits & 0x7fffff) === 0 && exponentBits > 1;
  const gapBelow = isPowerOfTwo ? gapAbove / 2 : gapAbove;
  let lowest = Math.ceil((value - gapBelow) * scale + SEARCH_MARGIN) | 0;
  let highest = Math.floor((value + gapAbove) * scale - SEARCH_MARGIN) | 0;
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
  return writeDecimal(digits, dropped - power, into, at);
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

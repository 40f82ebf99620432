import { LARGEST_EXACT_POWER, nearestQuotient, POWERS } from './nearest-quotient.ts';

/** How far a loop over many elements has come: in the text, and in the array that it fills. */
export interface Run {
  at: number;
  count: number;
}

/** No number that these loops take is longer, so further from the end no bounds need to be looked at. */
export const LONGEST_PLAIN = 64;

/** Bound here because the compiler takes a module's own constants for constants, and loads imported ones each time. */
const TENS = POWERS;

const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const MINUS = 0x2d;
/** 2^53 itself may be 2^53 + 1, rounded. */
const EXACT_BELOW = 2 ** 53;

/**
 * What the next two bytes of a plainly written number say: `PAIRS[view.getUint16(at, true)]`. Digits taken by twos
 * need half the loads and branches, and what real numbers look up lies in thirteen cache lines.
 *
 * - below 100: two digits, and this is their value;
 * - `POINT | HAS_DIGIT | d`: the digit d and a point; `POINT`: a point first;
 * - `COMMA | HAS_DIGIT | d`: the digit d and a comma, which ends the number; `COMMA`: a comma first;
 * - `PREFIX`: white space or a minus sign first;
 * - `OTHER`: anything else.
 */
const PAIRS = new Uint8Array(2 ** 16);
const OTHER = 0x6f;
const PREFIX = 0x70;
const POINT = 0x80;
const COMMA = 0xc0;
const HAS_DIGIT = 0x10;
/** `(pair & DIGIT_THEN_SIGN) === DIGIT_THEN_SIGN`: one digit, then a point or a comma. */
const DIGIT_THEN_SIGN = POINT | HAS_DIGIT;
/** `pair & DIGIT`: the digit before a point or a comma. */
const DIGIT = 0x0f;

PAIRS.fill(OTHER);
for (let second = 0; second < 256; second++) {
  for (const first of ' \n\r\t-') PAIRS[pairOf(first, second)] = PREFIX;
  PAIRS[pairOf('.', second)] = POINT;
  PAIRS[pairOf(',', second)] = COMMA;
}
for (let digit = 0; digit < 10; digit++) {
  const first = String(digit);
  for (let next = 0; next < 10; next++) PAIRS[pairOf(first, 0x30 + next)] = digit * 10 + next;
  PAIRS[pairOf(first, 0x2e)] = POINT | HAS_DIGIT | digit;
  PAIRS[pairOf(first, 0x2c)] = COMMA | HAS_DIGIT | digit;
}

function pairOf(first: string, second: number): number {
  return first.charCodeAt(0) | (second << 8);
}

/**
 * Reads numbers into `into` from `run.count` on, for as long as they are written plainly: digits, perhaps with a
 * fraction, no exponent, a comma right behind; white space may stand before. `run` is left where the first number
 * begins that is not (or that lies near the end of the text, or for which there is no room), with its white space
 * passed by or not. Values are those of `toSingle` and `toDouble`.
 *
 * This is the loop in which a large JSON body spends its time. Its first eight decimals are unrolled, and there is
 * a branch for each shape of number rather than arithmetic that fits all: a branch that is foretold lets the
 * processor begin the next number before it knows where this one ends.
 */
export function scanDecimals(view: DataView, into: Float32Array | Float64Array, run: Run): void {
  const last = view.byteLength - LONGEST_PLAIN;
  const room = into.length;
  const isSingle = into instanceof Float32Array;
  let { at, count } = run;
  while (at < last && count < room) {
    let p = at;
    let sign = 1;
    let pair = PAIRS[view.getUint16(p, true)]!;
    if (pair === PREFIX) {
      at = skipBlanks(view, at, last);
      // Signs are as good as random: 1 for a minus, 0 for others, without a branch.
      const isMinus = ((view.getUint8(at) ^ MINUS) - 1) >>> 31;
      sign -= 2 * isMinus;
      p = at + isMinus;
      pair = PAIRS[view.getUint16(p, true)]!;
    }
    p += 2;

    let whole = pair & DIGIT;
    if ((pair & DIGIT_THEN_SIGN) !== DIGIT_THEN_SIGN) {
      if (pair < 10 || pair >= 100) break;
      whole = pair;
      const stop = p + 6;
      pair = PAIRS[view.getUint16(p, true)]!;
      while (pair < 100 && p < stop) {
        whole = (Math.imul(whole, 100) + pair) | 0;
        p += 2;
        pair = PAIRS[view.getUint16(p, true)]!;
      }
      if (pair < POINT) break;
      p += 1;
      if ((pair & HAS_DIGIT) !== 0) {
        whole = (Math.imul(whole, 10) + (pair & DIGIT)) | 0;
        p += 1;
      }
    }
    if (pair >= COMMA) {
      into[count++] = whole * sign;
      at = p;
      continue;
    }

    const first = p;
    let decimals = 0;
    let four = view.getInt32(p, true);
    pair = PAIRS[four & 0xffff]!;
    if (pair < 100) {
      decimals = pair;
      pair = PAIRS[four >>> 16]!;
      p += 2;
      if (pair < 100) {
        decimals = (Math.imul(decimals, 100) + pair) | 0;
        four = view.getInt32(p + 2, true);
        pair = PAIRS[four & 0xffff]!;
        p += 2;
        if (pair < 100) {
          decimals = (Math.imul(decimals, 100) + pair) | 0;
          pair = PAIRS[four >>> 16]!;
          p += 2;
          if (pair < 100) {
            decimals = (Math.imul(decimals, 100) + pair) | 0;
            pair = PAIRS[view.getUint16(p + 2, true)]!;
            p += 2;
          }
        }
      }
    }
    let value: number;
    if (pair >= COMMA) {
      if (pair !== COMMA) {
        decimals = (Math.imul(decimals, 10) + (pair & DIGIT)) | 0;
        p += 1;
      }
      const length = p - first;
      if (length === 0) break;
      const scale = TENS[length]!;
      const mantissa = whole * scale + decimals;
      value = mantissa / scale;
      if (mantissa >= EXACT_BELOW) value = settle(whole, decimals, length, length, isSingle);
    } else {
      if (pair >= 100) break;
      const high = whole * 1e8 + decimals;
      let low = 0;
      let word = 0;
      let wordAt = p;
      for (;;) {
        const stop = wordAt + 8;
        while (pair < 100 && p < stop) {
          word = (Math.imul(word, 100) + pair) | 0;
          p += 2;
          pair = PAIRS[view.getUint16(p, true)]!;
        }
        if (pair >= 100 || p - first > 16) break;
        low = word;
        word = 0;
        wordAt = p;
      }
      if (pair < COMMA) break;
      if (pair !== COMMA) {
        word = (Math.imul(word, 10) + (pair & DIGIT)) | 0;
        p += 1;
      }
      low = low * TENS[p - wordAt]! + word;
      value = settle(high, low, p - first - 8, p - first, isSingle);
    }
    if (value - value !== 0) break;
    into[count++] = value * sign;
    at = p + 1;
  }
  run.at = at;
  run.count = count;
}

/**
 * The same for integers of up to nine digits from `lowest` to `highest`, with nothing but digits and a minus sign.
 * Sign and whole digits are read by the same lines as above, written again: they leave four variables behind, which a
 * function could only hand over through memory, for each number.
 */
export function scanIntegers(
  view: DataView,
  into: Int32Array,
  run: Run,
  lowest: number,
  highest: number,
): void {
  const last = view.byteLength - LONGEST_PLAIN;
  const room = into.length;
  let { at, count } = run;
  while (at < last && count < room) {
    let p = at;
    let sign = 1;
    let pair = PAIRS[view.getUint16(p, true)]!;
    if (pair === PREFIX) {
      at = skipBlanks(view, at, last);
      const isMinus = ((view.getUint8(at) ^ MINUS) - 1) >>> 31;
      sign -= 2 * isMinus;
      p = at + isMinus;
      pair = PAIRS[view.getUint16(p, true)]!;
    }
    p += 2;
    let value = pair & DIGIT;
    if ((pair & DIGIT_THEN_SIGN) !== DIGIT_THEN_SIGN) {
      if (pair < 10 || pair >= 100) break;
      value = pair;
      const stop = p + 6;
      pair = PAIRS[view.getUint16(p, true)]!;
      while (pair < 100 && p < stop) {
        value = (Math.imul(value, 100) + pair) | 0;
        p += 2;
        pair = PAIRS[view.getUint16(p, true)]!;
      }
      p += 1;
      if ((pair & HAS_DIGIT) !== 0) {
        value = (Math.imul(value, 10) + (pair & DIGIT)) | 0;
        p += 1;
      }
    }
    value = Math.imul(value, sign);
    if (pair < COMMA || value < lowest || value > highest) break;
    into[count++] = value;
    at = p;
  }
  run.at = at;
  run.count = count;
}

/** The first byte from `at` on that is no white space, or `last`. */
function skipBlanks(view: DataView, at: number, last: number): number {
  while (at < last) {
    const byte = view.getUint8(at);
    if (byte !== SPACE && byte !== LINE_FEED && byte !== CARRIAGE_RETURN && byte !== TAB) break;
    at += 1;
  }
  return at;
}

/** (high * 10^lowDigits + low) / 10^power as the datatype wants it, or NaN where that cannot be told from here. */
function settle(high: number, low: number, lowDigits: number, power: number, isSingle: boolean): number {
  const mantissa = high * TENS[lowDigits]! + low;
  const value = mantissa / TENS[power]!;
  if (mantissa < EXACT_BELOW && power <= LARGEST_EXACT_POWER) return value;
  // What is left out of `value` is below 2e-15 of it. Mostly that settles which FP32 is meant.
  if (isSingle)
    return Math.fround(value * (1 - 2e-15)) === Math.fround(value * (1 + 2e-15)) ? value : Number.NaN;
  if (high >= EXACT_BELOW || lowDigits > 15 || power > LARGEST_EXACT_POWER) return Number.NaN;
  return nearestQuotient(high, low, lowDigits, power);
}

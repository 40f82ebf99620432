import { LARGEST_EXACT_POWER, nearestQuotient, POWERS } from './nearest-quotient.ts';

/**
 * What a JSON number's text says. Its value is `mantissa * 10^exponent`, negated if `negative`; the mantissa
 * is exact only where `exact` says so.
 */
export interface NumberToken {
  negative: boolean;
  /** The digits as a double: `high * 10^lowDigits + low`. Those beyond the first 18 are counted in `exponent`. */
  mantissa: number;
  /** The first nine digits that count. */
  high: number;
  /** The `lowDigits` <= 9 digits after them. */
  low: number;
  lowDigits: number;
  /** No digits were dropped from `high` and `low`. */
  complete: boolean;
  exponent: number;
  /** `mantissa` holds every digit, without rounding. */
  exact: boolean;
  /** Written without fraction and exponent. */
  integral: boolean;
}

export function createNumberToken(): NumberToken {
  return {
    negative: false,
    mantissa: 0,
    high: 0,
    low: 0,
    lowDigits: 0,
    complete: true,
    exponent: 0,
    exact: true,
    integral: true,
  };
}

/** 2^53 itself may be 2^53 + 1, rounded. */
const EXACT_BELOW = 2 ** 53;
/** Below this there is room for a further digit in nine. */
const HIGH_ROOM = 1e8;
const LONGEST_LOW = 9;
/** Longer exponents are beyond every datatype; the text is then left to `Number`. */
const LONGEST_EXPONENT = 8;

const TENS = POWERS;

const ZERO = 0x30;
const NINE = 0x39;
const MINUS = 0x2d;
const PLUS = 0x2b;
const DOT = 0x2e;
const LOWER_E = 0x65;
const UPPER_E = 0x45;

/**
 * Reads the JSON number (RFC 8259, section 6) at `at` into `token`.
 * @returns where the number ends, or -1 where there is none
 */
export function scanNumber(bytes: Uint8Array, at: number, token: NumberToken): number {
  const end = bytes.length;
  let byte = at < end ? bytes[at]! : 0;
  const negative = byte === MINUS;
  if (negative) {
    at += 1;
    byte = at < end ? bytes[at]! : 0;
  }
  if (byte < ZERO || byte > NINE) return -1;
  const leadingZero = byte === ZERO;
  // Two words of 32 bits: a sum in doubles would wait for each digit before it.
  let high = byte - ZERO;
  let low = 0;
  let lowDigits = 0;
  let exponent = 0;
  let dropped = false;
  let integral = true;
  at += 1;
  byte = at < end ? bytes[at]! : 0;
  while (byte >= ZERO && byte <= NINE) {
    if (leadingZero) return -1;
    if (high < HIGH_ROOM) high = (Math.imul(high, 10) + (byte - ZERO)) | 0;
    else if (lowDigits < LONGEST_LOW) {
      low = (Math.imul(low, 10) + (byte - ZERO)) | 0;
      lowDigits += 1;
    } else {
      exponent += 1;
      dropped = true;
    }
    at += 1;
    byte = at < end ? bytes[at]! : 0;
  }
  if (byte === DOT) {
    integral = false;
    const first = at + 1;
    at = first;
    byte = at < end ? bytes[at]! : 0;
    while (byte >= ZERO && byte <= NINE) {
      if (high < HIGH_ROOM) {
        high = (Math.imul(high, 10) + (byte - ZERO)) | 0;
        exponent -= 1;
      } else if (lowDigits < LONGEST_LOW) {
        low = (Math.imul(low, 10) + (byte - ZERO)) | 0;
        lowDigits += 1;
        exponent -= 1;
      } else dropped = true;
      at += 1;
      byte = at < end ? bytes[at]! : 0;
    }
    if (at === first) return -1;
  }
  if (byte === LOWER_E || byte === UPPER_E) {
    integral = false;
    at += 1;
    byte = at < end ? bytes[at]! : 0;
    const negativeExponent = byte === MINUS;
    if (negativeExponent || byte === PLUS) {
      at += 1;
      byte = at < end ? bytes[at]! : 0;
    }
    const first = at;
    let written = 0;
    while (byte >= ZERO && byte <= NINE) {
      if (at - first < LONGEST_EXPONENT) written = written * 10 + (byte - ZERO);
      else dropped = true;
      at += 1;
      byte = at < end ? bytes[at]! : 0;
    }
    if (at === first) return -1;
    if (at - first > LONGEST_EXPONENT) exponent = Number.NaN;
    else exponent += negativeExponent ? -written : written;
  }
  const mantissa = lowDigits === 0 ? high : high * TENS[lowDigits]! + low;
  token.negative = negative;
  token.mantissa = mantissa;
  token.high = high;
  token.low = low;
  token.lowDigits = lowDigits;
  token.complete = !dropped;
  token.exponent = exponent;
  token.exact = !dropped && mantissa < EXACT_BELOW;
  token.integral = integral;
  return at;
}

/**
 * The double nearest to the token's number, which stands in bytes [from, to). One division or multiplication
 * of two exact doubles is correctly rounded (Clinger, "How to read floating point numbers accurately", 1990);
 * longer fractions go to `nearestQuotient`, everything else is left to the engine.
 */
export function toDouble(token: NumberToken, bytes: Uint8Array, from: number, to: number): number {
  const { mantissa, exponent } = token;
  if (token.exact && exponent >= -LARGEST_EXACT_POWER && exponent <= LARGEST_EXACT_POWER) {
    const magnitude = exponent < 0 ? mantissa / TENS[-exponent]! : mantissa * TENS[exponent]!;
    return token.negative ? -magnitude : magnitude;
  }
  if (token.complete && exponent < 0 && exponent >= -LARGEST_EXACT_POWER) {
    const magnitude = nearestQuotient(token.high, token.low, token.lowDigits, -exponent);
    if (!Number.isNaN(magnitude)) return token.negative ? -magnitude : magnitude;
  }
  return Number(asciiText(bytes, from, to));
}

/**
 * `Math.fround` of the nearest double. Most of what clients send are FP32 values printed with the 17 digits of
 * a double: too long for the exact way, but an approximation within 2e-15 mostly settles which FP32 is meant.
 * Only where the two ends of that range round differently the text is parsed in full.
 */
export function toSingle(token: NumberToken, bytes: Uint8Array, from: number, to: number): number {
  const { mantissa, exponent } = token;
  if (exponent >= -308 && exponent <= 308) {
    const magnitude = exponent < 0 ? mantissa / TENS[-exponent]! : mantissa * TENS[exponent]!;
    const single = Math.fround(magnitude);
    const settled =
      (token.exact && exponent >= -LARGEST_EXACT_POWER && exponent <= LARGEST_EXACT_POWER) ||
      Math.fround(magnitude * (1 - 2e-15)) === Math.fround(magnitude * (1 + 2e-15));
    if (settled) return token.negative ? -single : single;
  }
  return Math.fround(Number(asciiText(bytes, from, to)));
}

/** Bytes [from, to), all ASCII, as a string. */
export function asciiText(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1');
}

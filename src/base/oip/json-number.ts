/**
 * What a JSON number's text says. Its value is `mantissa * 10^exponent`, negated if `negative`; the mantissa
 * is exact only where `exact` says so.
 */
export interface NumberToken {
  negative: boolean;
  /** The digits as a double. Digits beyond the first 17 or 18 are dropped and counted in `exponent`. */
  mantissa: number;
  exponent: number;
  /** `mantissa` holds every digit, without rounding. */
  exact: boolean;
  /** Written without fraction and exponent. */
  integral: boolean;
}

export function createNumberToken(): NumberToken {
  return { negative: false, mantissa: 0, exponent: 0, exact: true, integral: true };
}

/** 2^53 itself may be 2^53 + 1, rounded. */
const EXACT_BELOW = 2 ** 53;
/** Below this a further digit still changes the double; past it digits only move the exponent. */
const MANTISSA_ROOM = 1e17;
/** Longer exponents are beyond every datatype; the text is then left to `Number`. */
const LONGEST_EXPONENT = 8;

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
  let mantissa = byte - ZERO;
  let exponent = 0;
  let dropped = false;
  let integral = true;
  at += 1;
  byte = at < end ? bytes[at]! : 0;
  while (byte >= ZERO && byte <= NINE) {
    if (leadingZero) return -1;
    if (mantissa < MANTISSA_ROOM) mantissa = mantissa * 10 + (byte - ZERO);
    else {
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
      if (mantissa < MANTISSA_ROOM) {
        mantissa = mantissa * 10 + (byte - ZERO);
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
  token.negative = negative;
  token.mantissa = mantissa;
  token.exponent = exponent;
  token.exact = !dropped && mantissa < EXACT_BELOW;
  token.integral = integral;
  return at;
}

/** Powers of ten that a double holds exactly end at 10^22; the others are the nearest double. */
const POWERS = Float64Array.from({ length: 309 }, (_, exponent) => Number(`1e${exponent}`));
const LARGEST_EXACT_POWER = 22;

/**
 * The double nearest to the token's number, which stands in bytes [from, to). One division or multiplication
 * of two exact doubles is correctly rounded (Clinger, "How to read floating point numbers accurately", 1990);
 * everything else is left to the engine.
 */
export function toDouble(token: NumberToken, bytes: Uint8Array, from: number, to: number): number {
  const { mantissa, exponent } = token;
  if (token.exact && exponent >= -LARGEST_EXACT_POWER && exponent <= LARGEST_EXACT_POWER) {
    const magnitude = exponent < 0 ? mantissa / POWERS[-exponent]! : mantissa * POWERS[exponent]!;
    return token.negative ? -magnitude : magnitude;
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
    const magnitude = exponent < 0 ? mantissa / POWERS[-exponent]! : mantissa * POWERS[exponent]!;
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

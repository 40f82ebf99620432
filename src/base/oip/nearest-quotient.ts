/**
 * Powers of ten. A double holds them exactly up to 10^22 (`LARGEST_EXACT_POWER`); the others are the nearest double.
 */
export const POWERS = Float64Array.from({ length: 309 }, (_, exponent) => Number(`1e${exponent}`));
export const LARGEST_EXACT_POWER = 22;

/** Splits a double into two halves of 26 bits, whose products are exact (Dekker 1971, after Veltkamp). */
const SPLITTER = 2 ** 27 + 1;
/** The remainder is known to about 2^-105 of the quotient; nearer to a rounding boundary than this it decides nothing. */
const UNCERTAINTY = 2 ** -95;

/**
 * The double nearest to (high * 10^lowDigits + low) / 10^power, or NaN in the rare case that it cannot tell (within
 * 1e-28 of a boundary between two doubles, which halfway cases are). It serves the 16 and 17 digits with which most
 * languages print doubles: too many for one exact division (Clinger), far too many of them to parse each anew.
 *
 * The dividend is taken exactly, as the sum of two doubles. The quotient's remainder, computed exactly as well,
 * gives what is missing from the quotient.
 * (Error-free sums and products: Dekker, "A floating-point technique for extending the available precision", 1971.)
 *
 * @param high an integer, above 0 and below 2^53
 * @param low an integer below 10^lowDigits; `lowDigits` <= 15
 * @param power <= 22
 */
export function nearestQuotient(high: number, low: number, lowDigits: number, power: number): number {
  const scale = POWERS[lowDigits]!;
  const divisor = POWERS[power]!;

  const product = high * scale;
  const rest = productError(high, scale, product) + low;
  const dividend = product + rest;
  const dividendError = rest - (dividend - product);

  const quotient = dividend / divisor;
  const reached = quotient * divisor;
  const remainder = dividend - reached + (dividendError - productError(quotient, divisor, reached));
  const missing = remainder / divisor;
  const slack = quotient * UNCERTAINTY;
  const lower = quotient + (missing - slack);
  return lower === quotient + (missing + slack) ? lower : Number.NaN;
}

/** `a * b - product`, exactly, where `product` is their rounded product. */
function productError(a: number, b: number, product: number): number {
  const aShifted = a * SPLITTER;
  const aHigh = aShifted - (aShifted - a);
  const aLow = a - aHigh;
  const bShifted = b * SPLITTER;
  const bHigh = bShifted - (bShifted - b);
  const bLow = b - bHigh;
  return aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow;
}

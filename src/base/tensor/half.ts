/**
 * Conversions between JavaScript numbers and the bits of the two 16-bit floating-point formats: IEEE 754
 * binary16 (FP16: 5 exponent bits, 10 fraction bits) and bfloat16 (BF16: 8 and 7, the upper half of an FP32).
 */
interface Format {
  readonly fractionBits: number;
  readonly bias: number;
  /** Bits of positive infinity: every exponent bit set. */
  readonly infinity: number;
}

const HALF: Format = { fractionBits: 10, bias: 15, infinity: 0x7c00 };
const BFLOAT: Format = { fractionBits: 7, bias: 127, infinity: 0x7f80 };

const SIGN = 0x8000;

/** What a fraction is multiplied with, by exponent bits: those of normal numbers count in units of 2^-10. */
const HALF_UNIT = Float64Array.from({ length: 31 }, (_, exponent) => 2 ** (Math.max(exponent, 1) - 25));

/** The value of FP16 bits; exact. */
export function halfToFloat(bits: number): number {
  const fraction = bits & 0x3ff;
  const exponent = (bits >> 10) & 0x1f;
  let magnitude: number;
  if (exponent === 0x1f) magnitude = fraction === 0 ? Number.POSITIVE_INFINITY : Number.NaN;
  else magnitude = (exponent === 0 ? fraction : fraction + 0x400) * HALF_UNIT[exponent]!;
  return (bits & SIGN) === 0 ? magnitude : -magnitude;
}

/** The nearest FP16, ties to even; too large becomes infinity; NaN stays NaN (0x7e00, its payload is lost). */
export function floatToHalf(value: number): number {
  return toBits(value, HALF);
}

const SINGLE = new Float32Array(1);
const SINGLE_WORD = new Uint32Array(SINGLE.buffer);

/** The value of BF16 bits; exact. */
export function bfloat16ToFloat(bits: number): number {
  SINGLE_WORD[0] = bits << 16;
  return SINGLE[0]!;
}

/** The nearest BF16, ties to even; too large becomes infinity; NaN stays NaN (0x7fc0, its payload is lost). */
export function floatToBfloat16(value: number): number {
  return toBits(value, BFLOAT);
}

const DOUBLE = new Float64Array(1);
const DOUBLE_WORDS = new Uint32Array(DOUBLE.buffer);

/** Rounds the double once: going through FP32 first would round twice. Scaling by powers of two is exact. */
function toBits(value: number, { fractionBits, bias, infinity }: Format): number {
  if (Number.isNaN(value)) return infinity | (1 << (fractionBits - 1));
  DOUBLE[0] = value;
  const high = DOUBLE_WORDS[1]!; // little-endian: sign and exponent are in the second word
  const sign = high >>> 31 === 0 ? 0 : SIGN;
  const magnitude = Math.abs(value);
  const exponent = Math.max(((high >>> 20) & 0x7ff) - 1023, 1 - bias);
  if (exponent > bias) return sign | infinity;
  const units = roundHalfToEven(magnitude * 2 ** (fractionBits - exponent));
  // A normal number has units in [2^f, 2^(f+1)]; its leading bit adds the one that a biased exponent needs,
  // and a carry out of the fraction lands in the exponent. A subnormal number has fewer units and exponent 0.
  const bits = ((exponent + bias - 1) << fractionBits) + units;
  return sign | Math.min(bits, infinity);
}

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}

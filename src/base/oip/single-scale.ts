/**
 * Distance that a candidate keeps from the ends of its interval. Scaling is off by at most 3 roundings of a number
 * below 1.7e8, which is 6e-8.
 */
const MARGIN = 1e-7;

/**
 * By the 8 exponent bits of an FP32: the power of ten that makes the distance between two values at least 1 and
 * less than 10; and half that distance, less the margin.
 */
export const DECIMALS = new Int32Array(255);
export const SCALE = new Float64Array(255);
export const HALF_GAP = new Float64Array(255);
for (let bits = 0; bits < 255; bits++) {
  const gap = 2 ** (Math.max(bits, 1) - 150);
  const decimals = Math.ceil(-Math.log10(gap));
  DECIMALS[bits] = decimals;
  SCALE[bits] = Number(`1e${decimals}`);
  HALF_GAP[bits] = (gap * SCALE[bits]!) / 2 - MARGIN;
}

import { describe, expect, it } from 'vitest';
import { bfloat16ToFloat, floatToBfloat16, floatToHalf, halfToFloat } from './half.ts';

const formats = [
  { name: 'FP16', toFloat: halfToFloat, toBits: floatToHalf, infinity: 0x7c00 },
  { name: 'BF16', toFloat: bfloat16ToFloat, toBits: floatToBfloat16, infinity: 0x7f80 },
] as const;

describe.each(formats)('$name', ({ toFloat, toBits, infinity }) => {
  it('gives back all bits, but for the payload of NaN', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = toFloat(bits);
      if (Number.isNaN(value)) {
        expect(bits & 0x7fff).toBeGreaterThan(infinity);
        expect(toFloat(toBits(value))).toBeNaN();
      } else if (toBits(value) !== bits)
        expect.fail(`0x${bits.toString(16)} became 0x${toBits(value).toString(16)}`);
    }
  });

  it('rounds to the nearest, and halfway to even bits', () => {
    for (let bits = 0; bits < infinity - 1; bits++) {
      const low = toFloat(bits);
      const high = toFloat(bits + 1);
      const middle = (low + high) / 2;
      const even = bits % 2 === 0 ? bits : bits + 1;
      if (toBits(middle) !== even)
        expect.fail(`the middle above 0x${bits.toString(16)} is not rounded to even`);
      const below = low + (high - low) * 0.4999999;
      const above = low + (high - low) * 0.5000001;
      if (toBits(below) !== bits || toBits(above) !== bits + 1)
        expect.fail(`rounding at 0x${bits.toString(16)}`);
      if (toBits(-above) !== ((bits + 1) | 0x8000))
        expect.fail(`negative rounding at 0x${bits.toString(16)}`);
    }
  });

  it('overflows to infinity from halfway past the largest value on', () => {
    const largest = toFloat(infinity - 1);
    const step = largest - toFloat(infinity - 2);
    expect(toBits(largest + step * 0.4999)).toBe(infinity - 1);
    expect(toBits(largest + step / 2)).toBe(infinity);
    expect(toBits(Number.MAX_VALUE)).toBe(infinity);
    expect(toBits(Number.NEGATIVE_INFINITY)).toBe(infinity | 0x8000);
  });

  it('keeps the sign of zero, and of what underflows', () => {
    expect(toBits(-0)).toBe(0x8000);
    expect(toFloat(0x8000)).toBe(-0);
    expect(toBits(-Number.MIN_VALUE)).toBe(0x8000);
  });
});

describe('known values', () => {
  it('of FP16', () => {
    expect(halfToFloat(0x3c00)).toBe(1);
    expect(halfToFloat(0x7bff)).toBe(65504);
    expect(halfToFloat(0x0001)).toBe(2 ** -24);
    expect(floatToHalf(0.1)).toBe(0x2e66);
  });

  it('of BF16', () => {
    expect(bfloat16ToFloat(0x3f80)).toBe(1);
    expect(bfloat16ToFloat(0x4049)).toBe(3.140625);
    expect(floatToBfloat16(Math.PI)).toBe(0x4049);
  });

  it('round a double once: through FP32 this one would become halfway, and then even', () => {
    const justAboveHalfway = 1 + 2 ** -11 + 2 ** -40;
    expect(floatToHalf(justAboveHalfway)).toBe(0x3c01);
    expect(floatToHalf(Math.fround(justAboveHalfway))).toBe(0x3c00);
  });
});

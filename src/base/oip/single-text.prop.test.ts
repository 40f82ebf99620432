import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LONGEST_NUMBER } from './number-text.ts';
import { writeSingle, writeSingles } from './single-text.ts';

const into = new Uint8Array(LONGEST_NUMBER);

function text(value: number): string {
  const end = writeSingle(value, into, 0);
  expect(end).toBeLessThanOrEqual(LONGEST_NUMBER);
  return new TextDecoder().decode(into.subarray(0, end));
}

const word = new Uint32Array(1);
const single = new Float32Array(word.buffer);
function ofBits(bits: number): number {
  word[0] = bits;
  return single[0]!;
}

/** Significant digits of a decimal. */
function digitsOf(decimal: string): number {
  const [mantissa] = decimal.replace('-', '').split('e');
  const digits = mantissa!.replace('.', '').replace(/^0+/, '');
  return (mantissa!.includes('.') ? digits : digits.replace(/0+$/, '')).length;
}

/** The fewest digits at which the decimal nearest to the value still gives it back. */
function fewestDigits(value: number): number {
  for (let digits = 1; digits < 9; digits++)
    if (Math.fround(Number(value.toPrecision(digits))) === value) return digits;
  return 9;
}

describe('writeSingle', () => {
  it.each([
    [0.1, '0.1'],
    [-0.3, '-0.3'],
    [1, '1'],
    [-2147483648, '-2147483648'],
    [16777216, '16777216'],
    [1e10, '10000000000'],
    [1e20, '100000000000000000000'],
    [1e21, '1e+21'],
    [3.4028234663852886e38, '3.4028235e+38'],
    [1e-6, '0.000001'],
    [1.25e-7, '1.25e-7'],
    [1.401298464324817e-45, '1e-45'],
    [1.1754943508222875e-38, '1.1754944e-38'],
    [0, '0'],
    [-0, '-0.0'],
    [Number.NaN, '"NaN"'],
    [Number.POSITIVE_INFINITY, '"Infinity"'],
    [Number.NEGATIVE_INFINITY, '"-Infinity"'],
  ])('writes %d as %s', (value, expected) => {
    expect(text(Math.fround(value))).toBe(expected);
  });

  it('gives back every bit pattern', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), (bits) => {
        const value = ofBits(bits);
        fc.pre(Number.isFinite(value));
        const written = text(value);
        const parsed: number = JSON.parse(written);
        expect(Math.fround(parsed)).toBe(value);
      }),
      { numRuns: 5000 },
    );
  });

  it('gives back the values next to every power of two, with no digit too many', () => {
    for (let exponent = 0; exponent < 255; exponent++) {
      for (const fraction of [0, 1, 2, 0x7ffffe, 0x7fffff, 0x400000, 0x333333]) {
        const value = ofBits((exponent << 23) | fraction);
        if (value === 0) continue;
        const written = text(value);
        if (Math.fround(JSON.parse(written)) !== value) expect.fail(`${value} became ${written}`);
        if (Math.abs(value) < 2 ** 24 && digitsOf(written) > fewestDigits(value)) {
          expect.fail(`${value} became ${written}, which has more than ${fewestDigits(value)} digits`);
        }
      }
    }
  });

  it('never takes more digits than the nearest decimal needs', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 0x7f7f_ffff }), (bits) => {
        const value = ofBits(bits);
        fc.pre(!Number.isInteger(value));
        expect(digitsOf(text(value))).toBeLessThanOrEqual(fewestDigits(value));
      }),
      { numRuns: 3000 },
    );
  });

  it('writes short decimals as they were', () => {
    for (let thousandths = -5000; thousandths < 5000; thousandths++) {
      const written = text(Math.fround(thousandths / 1000));
      if (Number(written) !== thousandths / 1000) expect.fail(`${thousandths / 1000} became ${written}`);
    }
  });
});

describe('writeSingles', () => {
  it('writes an array as JSON, whichever values stand side by side', () => {
    const value = fc.oneof(
      fc.float({ noNaN: true, noDefaultInfinity: true }),
      fc.float({ min: Math.fround(-1.5), max: Math.fround(1.5), noNaN: true }),
      fc.integer({ min: -999, max: 999 }).map((thousandths) => Math.fround(thousandths / 1000)),
      fc.nat(40).map((power) => Math.fround(2 ** (20 - power))),
    );
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 60 }), fc.nat(3), (values, before) => {
        const room = new Uint8Array(before + values.length * (LONGEST_NUMBER + 1));
        const end = writeSingles(Float32Array.from(values), 0, values.length, room, before);
        const parsed: number[] = JSON.parse(`[${new TextDecoder().decode(room.subarray(before, end))}]`);
        expect(parsed.map(Math.fround)).toEqual(values);
      }),
      { numRuns: 1000 },
    );
  });

  it('stays within the room of its longest number', () => {
    for (const value of [
      -3.4028234663852886e38, -1.1754943508222875e-38, -1.0000001e-6, -16777.217, -8388607.5,
    ]) {
      expect(text(value).length).toBeLessThanOrEqual(LONGEST_NUMBER);
    }
  });
});

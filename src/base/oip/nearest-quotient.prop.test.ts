import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearestQuotient } from './nearest-quotient.ts';

/** High words below 2^53, of every length; and low words of up to 15 digits. */
const high = fc.oneof(
  fc.bigInt({ min: 1n, max: 2n ** 53n - 1n }),
  fc.bigInt({ min: 1n, max: 10n ** 9n }),
  fc.bigInt({ min: 1n, max: 9n }),
);
const low = fc
  .integer({ min: 0, max: 15 })
  .chain((count) => fc.tuple(fc.constant(count), fc.bigInt({ min: 0n, max: 10n ** BigInt(count) - 1n })));

describe('nearestQuotient', () => {
  it('is the nearest double', () => {
    fc.assert(
      fc.property(high, low, fc.integer({ min: 0, max: 22 }), (highWord, [lowDigits, lowWord], power) => {
        const quotient = nearestQuotient(Number(highWord), Number(lowWord), lowDigits, power);
        const text = `${highWord * 10n ** BigInt(lowDigits) + lowWord}e-${power}`;
        if (!Number.isNaN(quotient)) expect(quotient).toBe(Number(text));
      }),
      { numRuns: 20_000 },
    );
  });

  it('tells every double by its 17 digits', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-5, max: 1e9, noNaN: true }), (value) => {
        const digits = value.toExponential(16);
        const power = 16 - Number(digits.slice(digits.indexOf('e') + 1));
        fc.pre(power >= 0 && power <= 22);
        const mantissa = digits.slice(0, digits.indexOf('e')).replace('.', '');
        const quotient = nearestQuotient(Number(mantissa.slice(0, 9)), Number(mantissa.slice(9)), 8, power);
        expect(quotient).toBe(value);
      }),
      { numRuns: 5000 },
    );
  });

  it('does not guess at the middle of two doubles', () => {
    expect(nearestQuotient(2 ** 53 - 1, 5, 1, 1)).toBeNaN();
    expect(nearestQuotient(900719925, 47409930, 8, 1)).toBeNaN();
    expect(nearestQuotient(900719925, 47409931, 8, 1)).toBe(9007199254740994);
    expect(nearestQuotient(900719925, 47409929, 8, 1)).toBe(9007199254740992);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createNumberToken, scanNumber, toDouble, toSingle } from './json-number.ts';

const encode = (text: string) => new TextEncoder().encode(text);
const token = createNumberToken();

function read(text: string): { double: number; single: number } {
  const bytes = encode(text);
  expect(scanNumber(bytes, 0, token)).toBe(bytes.length);
  return { double: toDouble(token, bytes, 0, bytes.length), single: toSingle(token, bytes, 0, bytes.length) };
}

/** Numbers as people and programs write them: any count of digits, any exponent. */
const numberText = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.oneof(fc.constant('0'), fc.bigInt({ min: 1n, max: 10n ** 30n }).map(String)),
    fc.oneof(fc.constant(''), fc.stringMatching(/^\.\d{1,30}$/)),
    fc.oneof(
      { weight: 3, arbitrary: fc.constant('') },
      {
        weight: 2,
        arbitrary: fc.tuple(fc.constantFrom('e', 'E', 'e+', 'e-'), fc.nat(60)).map((parts) => parts.join('')),
      },
      {
        weight: 1,
        arbitrary: fc.tuple(fc.constantFrom('e', 'e-'), fc.nat(400)).map((parts) => parts.join('')),
      },
    ),
  )
  .map((parts) => parts.join(''));

describe('scanNumber', () => {
  it('gives the double and the FP32 that JSON.parse gives', () => {
    fc.assert(
      fc.property(numberText, (text) => {
        const value = JSON.parse(text);
        const { double, single } = read(text);
        expect(double).toBe(value);
        expect(single).toBe(Math.fround(value));
      }),
      { numRuns: 5000 },
    );
  });

  it('gives back every double that was printed', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const { double, single } = read(Object.is(value, -0) ? '-0' : String(value).replace('e+', 'E+'));
        expect(double).toBe(value);
        expect(single).toBe(Math.fround(value));
      }),
    );
  });

  it.each([
    '9007199254740992',
    '9007199254740993',
    '9007199254740995',
    '90071992547409930000',
    '0.9007199254740993',
    '1e22',
    '1e23',
    '-0',
    '-0.0e5',
    '0e999999999999',
    '1e-999999999999',
    `0.${'0'.repeat(400)}1e401`,
    `1${'0'.repeat(400)}e-400`,
    '16777217',
    '16777217.0000000001',
    '16777216.999999999999999',
    '3.4028235677973366e38',
    '3.4028235677973365e38',
    '1.401298464324817e-45',
    '7.006492321624085e-46',
    '7.006492321624086e-46',
    '2.2250738585072011e-308',
  ])('reads %s', (text) => {
    const value = JSON.parse(text);
    expect(read(text)).toEqual({ double: value, single: Math.fround(value) });
  });

  it('knows the end of a double at which rounding to FP32 decides', () => {
    // Halfway between 1 and its successor, with digits before and after: only a full parse tells.
    for (const digits of ['1.000000059604644775390625', '1.00000005960464477', '1.00000005960464478']) {
      expect(read(digits).single).toBe(Math.fround(Number(digits)));
    }
  });

  it.each(['', '-', '+1', '.5', '1.', '01', '-01', '1e', '1e+', '0x1', 'NaN'])(
    'finds no number in %s',
    (text) => {
      const bytes = encode(text);
      expect(scanNumber(bytes, 0, token)).not.toBe(bytes.length === 0 ? 0 : bytes.length);
    },
  );
});

import { describe, expect, it } from 'vitest';
import { createNumberToken, scanNumber, toDouble, toSingle } from './json-number.ts';

function scan(text: string) {
  const bytes = new TextEncoder().encode(text);
  const token = createNumberToken();
  const end = scanNumber(bytes, 0, token);
  return { token, end };
}

const whole = {
  negative: false,
  low: 0,
  lowDigits: 0,
  complete: true,
  exponent: 0,
  exact: true,
  integral: true,
};

describe('scanNumber', () => {
  it.each([
    ['0', { ...whole, mantissa: 0, high: 0 }],
    ['-7', { ...whole, negative: true, mantissa: 7, high: 7 }],
    ['123456789', { ...whole, mantissa: 123_456_789, high: 123_456_789 }],
    ['1234567890', { ...whole, mantissa: 1_234_567_890, high: 123_456_789, low: 0, lowDigits: 1 }],
    ['-12.50', { ...whole, negative: true, mantissa: 1250, high: 1250, exponent: -2, integral: false }],
    ['5e3', { ...whole, mantissa: 5, high: 5, exponent: 3, integral: false }],
    ['5E+12345678', { ...whole, mantissa: 5, high: 5, exponent: 12_345_678, integral: false }],
    ['2.5e-3', { ...whole, mantissa: 25, high: 25, exponent: -4, integral: false }],
    ['0.0123456789', { ...whole, mantissa: 123_456_789, high: 123_456_789, exponent: -10, integral: false }],
    [
      '9007199254740992',
      { ...whole, mantissa: 2 ** 53, high: 900_719_925, low: 4_740_992, lowDigits: 7, exact: false },
    ],
    [
      '12345678901234567890',
      {
        ...whole,
        mantissa: 123_456_789_012_345_680,
        high: 123_456_789,
        low: 12_345_678,
        lowDigits: 9,
        complete: false,
        exponent: 2,
        exact: false,
      },
    ],
    [
      '1.2345678901234567890',
      {
        ...whole,
        mantissa: 123_456_789_012_345_680,
        high: 123_456_789,
        low: 12_345_678,
        lowDigits: 9,
        complete: false,
        exponent: -17,
        exact: false,
        integral: false,
      },
    ],
    [
      '1e123456789',
      {
        ...whole,
        mantissa: 1,
        high: 1,
        complete: false,
        exponent: Number.NaN,
        exact: false,
        integral: false,
      },
    ],
  ])('says all of %s', (text, token) => {
    expect(scan(text)).toEqual({ token, end: text.length });
    expect(scan(`${text},1`)).toEqual({ token, end: text.length });
  });

  it.each(['', '-', '-x', '01', '-00', '1.', '1.e5', '1e', '1e+', '1e-x', '.5', '+1'])(
    'finds no number in %s',
    (text) => {
      expect(scan(text).end).toBe(-1);
    },
  );
});

/** Reading the text a second time costs several times as much, so that most numbers must not need it. */
describe('what the token settles is not read again', () => {
  const nothing = new Uint8Array(0);

  it.each([
    '0.1',
    '-0.25',
    '123456789012345',
    '1e22',
    '-1e-22',
    '9007199254740991e22',
    '0.12345678901234567',
    '-0.3333333333333333',
    '12345.678901234567',
  ])('of the double %s', (text) => {
    expect(toDouble(scan(text).token, nothing, 0, 0)).toBe(Number(text));
  });

  it.each([
    '0.1',
    '-0.25',
    '16777217',
    '1e22',
    '-1e-22',
    '0.30000001192092896',
    '-0.30000001192092896',
    '1e38',
    '-2.5e-38',
    '0.1234567890123456789',
  ])('of the single %s', (text) => {
    expect(toSingle(scan(text).token, nothing, 0, 0)).toBe(Math.fround(Number(text)));
  });
});

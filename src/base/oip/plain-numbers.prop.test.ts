import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NimifyError } from '../errors/nimify-error.ts';
import type { Datatype } from '../tensor/datatype.ts';
import { expectEnd } from './json-object.ts';
import { scanTensorValue } from './json-tensor.ts';
import { LONGEST_PLAIN } from './plain-numbers.ts';

const encode = (text: string) => new TextEncoder().encode(text);

/** White space after the array: it keeps the loops over plain numbers at work up to the last element. */
const TAIL = ' '.repeat(LONGEST_PLAIN);

function scan(text: string, datatype: Datatype, expectedCount = 0): unknown[] {
  return Array.from(
    scanTensorValue(encode(text + TAIL), 0, datatype, 'x', expectedCount).data as Float32Array,
  );
}

const digits = (longest: number) =>
  fc
    .array(fc.nat(9), { minLength: 1, maxLength: longest })
    .map((all) => all.join('').replace(/^0+(?=.)/, ''));
const fraction = (longest: number) =>
  fc.array(fc.nat(9), { minLength: 1, maxLength: longest }).map((all) => `.${all.join('')}`);
const sign = fc.constantFrom('', '', '-');

/** Plainly written, of every length that the loop takes and beyond. */
const plain = fc.oneof(
  fc.tuple(sign, digits(2), fraction(9)),
  fc.tuple(sign, digits(12), fraction(30)),
  fc.tuple(sign, digits(3), fraction(20)),
  fc.tuple(
    sign,
    fc.constant('0'),
    fc.nat(25).map((zeros) => `.${'0'.repeat(zeros)}1234567890123456789`),
  ),
  fc.tuple(sign, digits(20), fc.constant('')),
);
const withExponent = fc.tuple(
  sign,
  digits(3),
  fc.oneof(fc.constant(''), fraction(18)),
  fc.tuple(fc.constantFrom('e', 'E', 'e+', 'e-'), fc.nat(30)).map((parts) => parts.join('')),
);
const number = fc
  .oneof({ weight: 9, arbitrary: plain }, { weight: 1, arbitrary: withExponent })
  .map((parts) => parts.join(''));
const separator = fc.constantFrom(',', ',', ',', ', ', ',\n', ' ,', ',\r\n\t', `,${' '.repeat(80)}`);

function joined(element: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .array(fc.tuple(element, separator), { minLength: 1, maxLength: 60 })
    .map((pairs) => `[${pairs.map(([text, comma], index) => (index === 0 ? text : comma + text)).join('')}]`);
}

describe('runs of plain numbers', () => {
  it('give the FP32 and the double that JSON.parse gives', () => {
    fc.assert(
      fc.property(joined(number), fc.constantFrom(0, 7, 60), (text, room) => {
        const values: number[] = JSON.parse(text);
        expect(scan(text, 'FP64', room)).toEqual(values);
        expect(scan(text, 'FP32', room)).toEqual(values.map(Math.fround));
      }),
      { numRuns: 2000 },
    );
  });

  it('end anywhere in the text: the last bytes are read as all others', () => {
    fc.assert(
      fc.property(joined(plain.map((parts) => parts.join(''))), (text) => {
        const values: number[] = JSON.parse(text);
        const { data } = scanTensorValue(encode(text), 0, 'FP64', 'x', values.length);
        expect(Array.from(data as Float64Array)).toEqual(values);
      }),
    );
  });

  it('are cut off at every byte without a word that is not there', () => {
    const text = '[0.25, -17.125,1234567.5,12,0.12345678901234567,-0,3]';
    const whole = encode(text);
    for (let length = 1; length < whole.length; length++) {
      // The bytes behind belong to another message.
      const part = whole.subarray(0, length);
      expect(() => scanTensorValue(part, 0, 'FP32', 'x', 7)).toThrow(NimifyError);
    }
    expect(scan(text, 'FP32')).toEqual(JSON.parse(text).map(Math.fround));
  });

  it('keep to nested rows of any length', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 6 }), (length, count) => {
        const rows = Array.from({ length: count }, (_, row) =>
          Array.from({ length }, (_, index) => (row * 7919 + index * 31) / 100),
        );
        const scanned = scanTensorValue(encode(JSON.stringify(rows) + TAIL), 0, 'FP64', 'x');
        expect(scanned.shape).toEqual([count, length]);
        expect(Array.from(scanned.data as Float64Array)).toEqual(rows.flat());
      }),
    );
  });

  const RANGES = [
    ['INT8', -128n, 127n],
    ['UINT8', 0n, 255n],
    ['INT32', -(2n ** 31n), 2n ** 31n - 1n],
    ['UINT32', 0n, 2n ** 32n - 1n],
    ['INT64', -(2n ** 63n), 2n ** 63n - 1n],
    ['UINT64', 0n, 2n ** 64n - 1n],
  ] as const;
  it.each(RANGES)('of %s hold every value', (datatype, min, max) => {
    const value = fc.oneof(fc.bigInt({ min, max }), fc.bigInt({ min: min < 0n ? -99n : 0n, max: 99n }));
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 700 }), separator, (values, comma) => {
        const read = scan(`[${values.join(comma)}]`, datatype, values.length).map(String);
        expect(read).toEqual(values.map(String));
      }),
    );
  });

  it('refuse what JSON.parse refuses, wherever it stands', () => {
    const broken = fc
      .tuple(joined(number), fc.nat(), fc.constantFrom(...'0123456789.-+eE, []x'))
      .map(([text, at, char]) => {
        const cut = 1 + (at % (text.length - 2));
        return text.slice(0, cut) + char + text.slice(cut + 1);
      });
    fc.assert(
      fc.property(broken, (text) => {
        let values: number[] | undefined;
        try {
          values = JSON.parse(text);
        } catch {
          values = undefined;
        }
        const isFlat = values?.every((value) => Number.isFinite(value)) ?? false;
        const read = () => {
          const bytes = encode(text + TAIL);
          const { data, end } = scanTensorValue(bytes, 0, 'FP64', 'x');
          expectEnd(bytes, end, 'x');
          return Array.from(data as Float64Array);
        };
        if (isFlat) expect(read()).toEqual(values);
        else expect(read).toThrow(NimifyError);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a fault in the middle of a run', () => {
  const many = ',7'.repeat(LONGEST_PLAIN);
  it.each([
    ['01', 'x[2]: expected a number (FP32), got the number 01 (byte 8)'],
    ['-', 'x[2]: expected a number (FP32), got the number - (byte 8)'],
    ['- 1', 'x[2]: expected a number (FP32), got the number - (byte 8)'],
    ['--1', 'x[2]: expected a number (FP32), got the number --1 (byte 8)'],
    ['+1', 'x[2]: expected a number (FP32), got the word +1 (byte 8)'],
    ['.5', 'x[2]: expected a number (FP32), got the word .5 (byte 8)'],
    ['1.', 'x[2]: expected a number (FP32), got the number 1. (byte 8)'],
    ['12.', 'x[2]: expected a number (FP32), got the number 12. (byte 8)'],
    ['1e', 'x[2]: expected a number (FP32), got the number 1e (byte 8)'],
    ['1.5.2', "x[3]: expected ',' or ']', got the word .2 (byte 11)"],
    ['1 2', "x[3]: expected ',' or ']', got the number 2 (byte 10)"],
    ['', 'x[2]: expected a number (FP32), got the character , (byte 8)'],
    ['1e39', 'x[2]: expected a number within the range of FP32, or the string "Infinity", got 1e39'],
    ['[1]', 'x[2]: expected a number (FP32), got an array (byte 8)'],
    ['null', 'x[2]: expected a number (FP32), got the word null (byte 8)'],
  ])('is told: %s', (fault, message) => {
    for (const space of ['', ' '.repeat(3)]) {
      const text = `[1,2.75,${space}${fault}${many}]`;
      const moved = message.replace(/byte (\d+)/, (_, at) => `byte ${Number(at) + space.length}`);
      expect(() => scanTensorValue(encode(text), 0, 'FP32', 'x', 70)).toThrow(moved);
    }
  });

  it.each([
    ['INT8', '128', 'x[2]: expected an integer from -128 to 127 (INT8), got the number 128 (byte 5)'],
    ['UINT8', '-1', 'x[2]: expected an integer from 0 to 255 (UINT8), got the number -1 (byte 5)'],
    ['INT32', '1.0', 'x[2]: expected an integer from -2147483648 to 2147483647 (INT32), got the number 1.0'],
    ['UINT64', '-5', 'x[2]: expected an integer from 0 to 18446744073709551615 (UINT64), got the number -5'],
    ['INT64', '007', 'got the number 007 (byte 5)'],
  ] as const)('of %s is told: %s', (datatype, fault, message) => {
    expect(() => scanTensorValue(encode(`[1,2,${fault}${many}]`), 0, datatype, 'x', 70)).toThrow(message);
  });
});

describe('rounding', () => {
  const word = new Uint32Array(1);
  const single = new Float32Array(word.buffer);
  const ofBits = (bits: number): number => {
    word[0] = bits;
    return single[0]!;
  };

  it('of decimals at and around the middle of two FP32 is that of their nearest doubles', () => {
    const bits = fc.integer({ min: 0x2b00_0000, max: 0x4e00_0000 });
    const text = fc
      .tuple(bits, fc.integer({ min: 0, max: 40 }), fc.constantFrom('', '1', '9', '0000000001'))
      .map(([below, kept, tail]) => {
        const middle = ((ofBits(below) + ofBits(below + 1)) / 2).toFixed(100);
        return middle.slice(0, middle.indexOf('.') + 1 + kept).replace(/\.$/, '') + (kept === 0 ? '' : tail);
      });
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 40 }), (texts) => {
        const expected = texts.map((each) => Math.fround(Number(each)));
        expect(scan(`[${texts.join()}]`, 'FP32')).toEqual(expected);
        expect(scan(`[${texts.map((each) => `-${each}`).join()}]`, 'FP32')).toEqual(expected.map((v) => -v));
      }),
      { numRuns: 1000 },
    );
  });

  it('of decimals at and around the middle of two doubles is right', () => {
    const text = fc
      .tuple(
        fc.bigInt({ min: 2n ** 52n, max: 2n ** 53n - 1n }),
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 14, max: 30 }),
        fc.constantFrom('', '1', '5', '9'),
      )
      .map(([mantissa, shift, kept, tail]) => {
        // (2 * mantissa + 1) / 2^shift lies in the middle; its decimals are those of times 5^shift.
        const scaled = ((2n * mantissa + 1n) * 5n ** BigInt(shift)).toString().padStart(shift + 1, '0');
        const decimals = scaled.slice(-shift).slice(0, kept);
        return `${scaled.slice(0, -shift)}.${decimals}${tail}`;
      });
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 40 }), (texts) => {
        expect(scan(`[${texts.join()}]`, 'FP64')).toEqual(texts.map(Number));
      }),
      { numRuns: 1000 },
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LONGEST_NUMBER, writeDouble, writeInteger } from './number-text.ts';

const into = new Uint8Array(LONGEST_NUMBER);

function text(write: typeof writeDouble, value: number): string {
  const end = write(value, into, 0);
  expect(end).toBeLessThanOrEqual(LONGEST_NUMBER);
  return new TextDecoder().decode(into.subarray(0, end));
}

describe('writeDouble', () => {
  it('writes what JavaScript writes', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.maxSafeInteger()),
        (value) => {
          fc.pre(!Object.is(value, -0));
          expect(text(writeDouble, value)).toBe(String(value));
        },
      ),
    );
    expect(text(writeDouble, -0)).toBe('-0.0');
    expect(text(writeDouble, Number.NEGATIVE_INFINITY)).toBe('"-Infinity"');
  });
});

describe('writeInteger', () => {
  it('writes every safe integer', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        expect(text(writeInteger, value)).toBe(String(value));
      }),
    );
    for (let power = 0; power < 16; power++) {
      for (const value of [10 ** power - 1, 10 ** power, 10 ** power + 1, -(10 ** power)]) {
        expect(text(writeInteger, value)).toBe(String(value));
      }
    }
  });
});

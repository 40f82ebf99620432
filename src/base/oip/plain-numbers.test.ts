import { describe, expect, it } from 'vitest';
import { LONGEST_PLAIN, scanDecimals, scanIntegers } from './plain-numbers.ts';

/** Text with as much behind it that all of it may be read in a run. */
function viewOf(text: string, tail = LONGEST_PLAIN): DataView {
  const bytes = new TextEncoder().encode(text + ' '.repeat(tail));
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function decimals(text: string, into: Float32Array | Float64Array = new Float64Array(9), tail?: number) {
  const run = { at: 0, count: 0 };
  scanDecimals(viewOf(text, tail), into, run);
  return { values: Array.from(into.subarray(0, run.count)), at: run.at };
}
const singles = (text: string) => decimals(text, new Float32Array(9));

function integers(text: string, lowest = -(2 ** 31), highest = 2 ** 31 - 1, room = 9, tail?: number) {
  const into = new Int32Array(room);
  const run = { at: 0, count: 0 };
  scanIntegers(viewOf(text, tail), into, run, lowest, highest);
  return { values: Array.from(into.subarray(0, run.count)), at: run.at };
}

const WHOLE = [
  '0',
  '7',
  '10',
  '99',
  '100',
  '101',
  '1234',
  '12345',
  '123456',
  '1234567',
  '12345678',
  '123456789',
];
const FRACTIONS = [
  '0.5',
  '1.25',
  '12.5',
  '99.75',
  '123.456',
  '123456789.5',
  '0.001',
  '5.10',
  '0.00',
  '100.0',
];
/** Of every length that the unrolled digits have, and longer ones. */
const LONG = Array.from({ length: 17 }, (_, length) => `3.${'1415926535897932'.slice(0, length + 1)}`);
/** With more digits than a double holds as an integer. */
const BEYOND = [
  '123456789.12345678',
  '0.12345678901234567',
  '0.30000001192092896',
  '12.345678901234567',
  '0.1234567890123456789012',
  '0.000012345678901234567',
];
const NOT_PLAIN = [
  '1e5,',
  '1.5e3,',
  'null,',
  '"1",',
  '1]',
  '12]',
  '1.5]',
  '1 ,',
  '1.5 ,',
  '.5,',
  '1.,',
  '-,',
  ',',
];
const NO_NUMBER = ['01,', '00.5,', '- 5,', '--5,', '+5,', '1..2,', '1.2.3,', '[1,'];

describe('scanDecimals', () => {
  it.each([...WHOLE, ...FRACTIONS, ...LONG, ...BEYOND])(
    'reads %s, with a sign, and white space before',
    (number) => {
      for (const text of [number, `-${number}`, ` ${number}`, `\n-${number}`, `\t\r \n${number}`]) {
        const double = Number(text);
        const at = text.length + 1;
        expect(decimals(`${text},`)).toEqual({ values: [double], at });
        expect(singles(`${text},`)).toEqual({ values: [Math.fround(double)], at });
        // Wherever it stands.
        expect(decimals(`5,${text},0.5,`)).toEqual({ values: [5, double, 0.5], at: at + 6 });
      }
    },
  );

  it.each([...NOT_PLAIN, ...NO_NUMBER, '1234567890,', '1234567890.5,'])('leaves %s', (text) => {
    for (const read of [decimals, singles]) {
      expect(read(text)).toEqual({ values: [], at: 0 });
      expect(read(`7,-0.5,${text}`)).toEqual({ values: [7, -0.5], at: 7 });
    }
  });

  it('leaves what it cannot tell from an approximation', () => {
    // Halfway between 1 and the FP32 after it, for all that the first digits say.
    const halfway = '1.00000005960464477539,';
    expect(singles(halfway)).toEqual({ values: [], at: 0 });
    // More decimals than powers of ten are exact.
    const long = `0.${'12345678901234567890123'},`;
    expect(decimals(long)).toEqual({ values: [], at: 0 });
    expect(singles(long)).toEqual({ values: [Math.fround(Number(long.slice(0, -1)))], at: long.length });
  });

  it('goes on from where the run is, and stops where there is no room', () => {
    const into = new Float64Array(3);
    const run = { at: 2, count: 1 };
    scanDecimals(viewOf('1,2,3,4,'), into, run);
    expect([...into]).toEqual([0, 2, 3]);
    expect(run).toEqual({ at: 6, count: 3 });
  });

  it('reads no number that begins within the last bytes', () => {
    expect(decimals('1,', undefined, LONGEST_PLAIN - 2)).toEqual({ values: [], at: 0 });
    expect(decimals('1,', undefined, LONGEST_PLAIN - 1)).toEqual({ values: [1], at: 2 });
    expect(decimals('1,2,', undefined, LONGEST_PLAIN - 2)).toEqual({ values: [1], at: 2 });
  });
});

describe('scanIntegers', () => {
  it.each(WHOLE)('reads %s, with a sign, and white space before', (number) => {
    for (const text of [number, `-${number}`, ` ${number}`, `\n-${number}`, `\t\r \n${number}`]) {
      const value = Number(text) + 0;
      const at = text.length + 1;
      expect(integers(`${text},`)).toEqual({ values: [value], at });
      expect(integers(`5,${text},6,`)).toEqual({ values: [5, value, 6], at: at + 4 });
    }
  });

  it.each([...NOT_PLAIN, ...NO_NUMBER, '1.5,', '1.0,', '12.5,', '1234567890,'])('leaves %s', (text) => {
    expect(integers(text)).toEqual({ values: [], at: 0 });
    expect(integers(`7,-12,${text}`)).toEqual({ values: [7, -12], at: 6 });
  });

  it('leaves what is out of range', () => {
    expect(integers('-128,127,-129,', -128, 127)).toEqual({ values: [-128, 127], at: 9 });
    expect(integers('0,255,256,', 0, 255)).toEqual({ values: [0, 255], at: 6 });
  });

  it('stops where there is no room', () => {
    expect(integers('1,2,3,', undefined, undefined, 2)).toEqual({ values: [1, 2], at: 4 });
  });

  it('reads no number that begins within the last bytes', () => {
    expect(integers('1,', undefined, undefined, 9, LONGEST_PLAIN - 2)).toEqual({ values: [], at: 0 });
    expect(integers('1,', undefined, undefined, 9, LONGEST_PLAIN - 1)).toEqual({ values: [1], at: 2 });
    expect(integers('1,2,', undefined, undefined, 9, LONGEST_PLAIN - 2)).toEqual({ values: [1], at: 2 });
  });
});

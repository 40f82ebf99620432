import { describe, expect, it } from 'vitest';
import { expectedError, mismatchError } from './json-error.ts';

const got = (text: string | Uint8Array, at = 0) =>
  expectedError('inputs[0].shape', 'an array', Buffer.from(text), at).details?.got;

describe('expectedError', () => {
  it('says where, what was expected and what came', () => {
    expect(expectedError('inputs[0].shape', 'an array', Buffer.from('{"a":5}'), 5)).toMatchObject({
      code: 'INVALID_INPUT',
      message: 'inputs[0].shape: expected an array, got the number 5 (byte 5)',
      details: { where: 'inputs[0].shape', expected: 'an array', got: 'the number 5 (byte 5)' },
    });
  });

  it.each([
    ['', 'the end of the JSON'],
    ['"secret"', 'a string'],
    ['[1]', 'an array'],
    ['{}', 'an object'],
    ['0,', 'the number 0'],
    ['9]', 'the number 9'],
    ['-1.5e+9}', 'the number -1.5e+9'],
    ['1E-5 ', 'the number 1E-5'],
    ['1/2', 'the number 1'],
    ['1:2', 'the number 1'],
    ['true]', 'the word true'],
    ['NaN,', 'the word NaN'],
    ['+Infinity', 'the word +Infinity'],
    ['AZaz09+-.,', 'the word AZaz09+-.'],
    ['a@', 'the word a'],
    ['A[', 'the word A'],
    ['z`', 'the word z'],
    ['a{', 'the word a'],
    ['!', 'the character !'],
    ['/', 'the character /'],
    [':', 'the character :'],
    ['@', 'the character @'],
    ['~', 'the character ~'],
    [' ', 'the byte 0x20'],
    ['\x01', 'the byte 0x01'],
    ['\x7f', 'the byte 0x7f'],
    [Uint8Array.of(0xff), 'the byte 0xff'],
  ])('calls %j %s', (text, words) => {
    expect(got(text)).toBe(`${words} (byte 0)`);
  });

  it('cuts what is long', () => {
    expect(got('1'.repeat(39))).toBe(`the number ${'1'.repeat(39)} (byte 0)`);
    expect(got('1'.repeat(41))).toBe(`the number ${'1'.repeat(40)}... (byte 0)`);
  });
});

describe('mismatchError', () => {
  it('builds a place that costs something only now', () => {
    expect(mismatchError(() => 'data[7]', 'an integer', '1.5')).toMatchObject({
      message: 'data[7]: expected an integer, got 1.5',
      details: { where: 'data[7]', expected: 'an integer', got: '1.5' },
    });
  });
});

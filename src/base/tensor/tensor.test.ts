import { describe, expect, it } from 'vitest';
import { isDatatype } from './datatype.ts';
import { dataLength, elementCount } from './tensor.ts';

describe('elementCount', () => {
  it.each([
    [[], 1],
    [[7], 7],
    [[2, 3, 4], 24],
    [[2, 0, 4], 0],
    [[2 ** 26, 2 ** 26], 2 ** 52],
    [[Number.MAX_SAFE_INTEGER], Number.MAX_SAFE_INTEGER],
  ])('of %j is %d', (shape, count) => {
    expect(elementCount(shape)).toBe(count);
  });

  it.each([
    [[-1]],
    [[2, -1, -1]],
    [[1.5, 2]],
    [[Number.NaN]],
    [[Number.POSITIVE_INFINITY]],
    [[2 ** 27, 2 ** 27]],
    [[0, 2 ** 27, 2 ** 27]],
  ])('of %j is not to be had', (shape) => {
    expect(elementCount(shape)).toBeNaN();
  });
});

describe('dataLength', () => {
  it('counts elements, not bytes', () => {
    expect(dataLength(new Float64Array(3))).toBe(3);
    expect(dataLength({ bytes: new Uint8Array(9), offsets: Uint32Array.of(0, 4, 9) })).toBe(2);
  });
});

describe('isDatatype', () => {
  it.each([
    ['FP32', true],
    ['BYTES', true],
    ['fp32', false],
    ['', false],
    [undefined, false],
    [['FP32'], false],
  ])('%j: %s', (value, expected) => {
    expect(isDatatype(value)).toBe(expected);
  });
});

import { expect, it } from 'vitest';
import { isCount, isPositive, isRecord } from './json-value.ts';

const VALUES: readonly unknown[] = [
  {},
  Object.create(null),
  [],
  null,
  undefined,
  '1',
  true,
  ...[1, 0.5, 2 ** 53, 0, -1, Number.NaN, Number.POSITIVE_INFINITY],
];

it('tells objects from lists and from nothing', () => {
  expect(VALUES.filter(isRecord)).toEqual([{}, {}]);
});

it('tells counts from other numbers', () => {
  expect(VALUES.filter(isCount)).toEqual([1]);
  expect(VALUES.filter(isPositive)).toEqual([1, 0.5, 2 ** 53]);
});

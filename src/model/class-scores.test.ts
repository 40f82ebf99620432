import { describe, expect, it } from 'vitest';
import { bestClasses, classAxes } from './class-scores.ts';

describe('classAxes', () => {
  it.each<[readonly number[], readonly number[]]>([
    [[-1, 3], [3]],
    [[3], [3]],
    [[1], []],
    [[2, 5, 1, 1], [5]],
    [[-1, -1], [-1]],
    [
      [1, 3, 224, 224],
      [3, 224, 224],
    ],
    [[], []],
  ])('of %j', (shape, axes) => {
    expect(classAxes(shape)).toEqual(axes);
  });
});

describe('bestClasses', () => {
  const best = (scores: readonly number[], top: number) =>
    bestClasses(scores.length, (at) => scores[at]!, top);

  it('are the highest, best first, no more than asked for', () => {
    expect(best([1, 5, 3, 4], 3)).toEqual([1, 3, 2]);
    expect(best([1, 5], 3)).toEqual([1, 0]);
    expect(best([], 3)).toEqual([]);
  });

  it('stay in order where they are equal, and have NaN last', () => {
    expect(best([2, 2, 2], 2)).toEqual([0, 1]);
    expect(best([Number.NaN, 1, Number.NEGATIVE_INFINITY], 3)).toEqual([1, 0, 2]);
  });
});

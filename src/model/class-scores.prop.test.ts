import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bestClasses } from './class-scores.ts';

/** Few values, so that many are equal. */
const scores = fc.array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constant(Number.NEGATIVE_INFINITY)));

describe('bestClasses', () => {
  it('are the first of all classes in order', () => {
    fc.assert(
      fc.property(scores, fc.integer({ min: 1, max: 12 }), (values, top) => {
        const inOrder = values
          .map((_, index) => index)
          .sort((a, b) => (values[a] === values[b] ? a - b : values[b]! > values[a]! ? 1 : -1));
        expect(bestClasses(values.length, (index) => values[index]!, top)).toEqual(inOrder.slice(0, top));
      }),
    );
  });
});

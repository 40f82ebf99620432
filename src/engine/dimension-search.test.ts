import { describe, expect, it } from 'vitest';
import { CANDIDATE_SIZES, dimensionChoices } from './dimension-search.ts';

describe('dimensionChoices', () => {
  it('is one empty choice where nothing is dynamic', () => {
    expect([...dimensionChoices([])]).toEqual([{}]);
  });

  it('tries every size of a lone dimension once', () => {
    expect([...dimensionChoices(['n'])]).toEqual(CANDIDATE_SIZES.map((n) => ({ n })));
  });

  it.each([2, 3])('tries every combination of %i dimensions exactly once', (count) => {
    const keys = ['a', 'b', 'c'].slice(0, count);
    const seen = [...dimensionChoices(keys)].map((choice) => keys.map((key) => choice[key]).join());
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toHaveLength(CANDIDATE_SIZES.length ** count);
  });

  it('comes to one odd size, then to equal sizes, before it mixes', () => {
    const seen = [...dimensionChoices(['h', 'w'])].map(({ h, w }) => `${h}x${w}`);
    expect(seen.slice(0, 4)).toEqual(['1x1', '2x1', '1x2', '2x2']);
    expect(seen.indexOf('1x512')).toBeLessThan(seen.indexOf('512x512'));
    expect(seen.indexOf('224x224')).toBeLessThan(seen.indexOf('2x3'));
  });
});

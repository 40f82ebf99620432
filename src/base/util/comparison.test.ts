import { describe, expect, it } from 'vitest';
import { type Comparison, createComparison } from './comparison.ts';

/** Does things until it is over; `costOf` says what each costs. */
function compare(comparison: Comparison, costOf: (isOther: boolean, at: number) => number) {
  const order: boolean[] = [];
  let value = 100;
  comparison.start(value);
  for (let at = 0; at < 1000; at++) {
    order.push(comparison.isOther);
    value += costOf(comparison.isOther, at);
    const ratio = comparison.done(() => value);
    if (ratio !== undefined) return { ratio, order };
  }
  throw new Error('it is never over');
}

describe('createComparison', () => {
  it('goes the two ways by turns, and says what the other costs as a share of the one', () => {
    const { ratio, order } = compare(createComparison({ perBlock: 3, blocks: 4 }), (isOther) =>
      isOther ? 2 : 5,
    );
    expect(ratio).toBeCloseTo(0.4);
    expect(order.map(Number).join('')).toBe('000111111000');
  });

  it('sees no difference in what grows by itself', () => {
    const { ratio } = compare(createComparison({ perBlock: 5, blocks: 8 }), (_isOther, at) => 1000 - at);
    expect(ratio).toBeCloseTo(1);
  });

  it('is not misled by one block that was disturbed', () => {
    const { ratio } = compare(createComparison({ perBlock: 5, blocks: 8 }), (isOther, at) =>
      at === 7 ? 1e6 : isOther ? 1 : 2,
    );
    expect(ratio).toBeCloseTo(0.5);
  });

  it('begins anew when it is started again, and reads only at the ends of blocks', () => {
    const comparison = createComparison({ perBlock: 2, blocks: 4 });
    comparison.start(0);
    let reads = 0;
    const read = () => {
      reads += 1;
      return 0;
    };
    for (let at = 0; at < 3; at++) comparison.done(read);
    expect(reads).toBe(1);
    expect(comparison.isOther).toBe(true);
    comparison.start(0);
    expect(comparison.isOther).toBe(false);
    expect(compare(comparison, () => 1).order).toHaveLength(8);
  });
});

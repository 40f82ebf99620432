import { describe, expect, it } from 'vitest';
import { readElements } from './read-elements.ts';

/** Where runs were tried and where single elements were read, of elements that are one digit each. */
function read(text: string, readPlain: (at: number) => number = (at) => at) {
  const bytes = new TextEncoder().encode(text);
  const tried: number[] = [];
  const single: number[] = [];
  const end = readElements(
    bytes,
    0,
    'list',
    (at, where) => {
      expect(where).toBe('list');
      single.push(at);
      return at + 1;
    },
    (at) => {
      tried.push(at);
      return readPlain(at);
    },
  );
  return { end, tried, single };
}

describe('readElements', () => {
  it('reads on for as long as commas follow, white space or not', () => {
    expect(read('1]')).toMatchObject({ end: 1, single: [0] });
    expect(read('1,2,3]')).toMatchObject({ end: 5, single: [0, 2, 4] });
    expect(read('1 ,\n2\t, 3 ]')).toMatchObject({ end: 10, single: [0, 4, 8] });
    expect(read('1,2')).toMatchObject({ end: 3, single: [0, 2] });
  });

  it('tries the next run after one element that no run takes', () => {
    // Runs of two at first; nothing is left of one in the end.
    const { end, tried, single } = read('1,2,x,4,5,x]', (at) => at + 4);
    expect({ end, tried, single }).toEqual({ end: 11, tried: [0, 6], single: [4, 10] });
    expect(read('1, 2, x]', (at) => at + 5)).toEqual({ end: 7, tried: [0], single: [6] });
  });

  it('tries no run again for sixteen elements after a vain attempt', () => {
    const { end, tried, single } = read(`${'1,'.repeat(39)}1]`);
    expect(end).toBe(79);
    expect(single).toHaveLength(40);
    expect(tried).toEqual([0, 32, 64]);
  });
});

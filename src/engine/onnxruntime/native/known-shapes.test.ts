import { describe, expect, it } from 'vitest';
import { KnownShapes } from './known-shapes.ts';

const input = (name: string, ...shape: number[]) => ({ name, shape });

describe('KnownShapes', () => {
  it('tells what was learned of inputs of the same shapes, and of no others', () => {
    const known = new KnownShapes();
    known.learn(known.of([input('a', 2, 3)]), 1, [2]);
    expect(known.of([input('a', 2, 3)])).toEqual([undefined, [2]]);
    expect(known.of([input('a', 2)])).toEqual([]);
    expect(known.of([input('a', 23)])).toEqual([]);
    expect(known.of([input('b', 2, 3)])).toEqual([]);
    expect(known.of([input('a', 2, 3), input('b')])).toEqual([]);
    expect(known.of([input('a', 2, 3)])).toEqual([undefined, [2]]);
  });

  it('learns no more of an output that was foreseen wrongly, and goes on with the others', () => {
    const known = new KnownShapes();
    known.learn(known.of([input('a', 1)]), 0, [1]);
    known.forget(0);
    const shapes = known.of([input('a', 1)]);
    expect(shapes).toEqual([]);
    known.learn(shapes, 0, [1]);
    known.learn(shapes, 1, [7]);
    expect(known.of([input('a', 1)])).toEqual([undefined, [7]]);
  });

  it('learns nothing more of a graph that is wrong about itself', () => {
    const known = new KnownShapes();
    known.learn(known.of([input('a', 1)]), 0, [1]);
    known.giveUp();
    known.learn(known.of([input('a', 1)]), 0, [1]);
    expect(known.of([input('a', 1)])).toEqual([]);
  });

  it('remembers a bounded number of combinations', () => {
    const known = new KnownShapes();
    for (let size = 0; size < 300; size++) known.learn(known.of([input('a', size)]), 0, [size]);
    expect(known.of([input('a', 299)])).toEqual([[299]]);
    expect(known.of([input('a', 0)])).toEqual([]);
  });
});

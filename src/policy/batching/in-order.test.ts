import { describe, expect, it } from 'vitest';
import { createInOrder } from './in-order.ts';

describe('createInOrder', () => {
  it('holds answers and failures until those before them are out', async () => {
    const inOrder = createInOrder();
    const out: string[] = [];
    const settle: Record<string, () => void> = {};
    const follow = (name: string, fails = false) =>
      inOrder
        .follow(
          new Promise<string>((resolve, reject) => {
            settle[name] = () => (fails ? reject(new Error(name)) : resolve(name));
          }),
        )
        .then(
          (answer) => void out.push(answer),
          (error: Error) => void out.push(`not ${error.message}`),
        );
    const all = [follow('a'), follow('b', true), follow('c')];
    expect(inOrder.isEmpty).toBe(false);
    settle.c!();
    settle.b!();
    await new Promise(setImmediate);
    expect(out).toEqual([]);
    settle.a!();
    await Promise.all(all);
    expect(out).toEqual(['a', 'not b', 'c']);
    await new Promise(setImmediate);
    expect(inOrder.isEmpty).toBe(true);
  });
});

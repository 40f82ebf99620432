import { describe, expect, it } from 'vitest';
import { NameSet } from './name-set.ts';

describe('NameSet', () => {
  it('takes every name once, whether there are few or many', () => {
    const names = new NameSet();
    for (let index = 0; index < 100; index++) {
      expect(names.size).toBe(index);
      expect(names.add(`name ${index}`)).toBe(true);
      for (const twice of [0, index >> 1, index]) expect(names.add(`name ${twice}`)).toBe(false);
    }
    expect(names.size).toBe(100);
  });
});

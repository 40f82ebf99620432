import { describe, expect, it } from 'vitest';
import { nearestName } from './nearest-name.ts';

describe('nearestName', () => {
  it('finds the nearest by edits, whatever the case', () => {
    expect(nearestName('INPUT_IDS', ['attention_mask', 'input_ids'])).toBe('input_ids');
    expect(nearestName('inptu', ['output', 'input'])).toBe('input');
  });

  it('finds nothing where nothing is near', () => {
    expect(nearestName('zebra', ['input', 'mask'])).toBeUndefined();
    expect(nearestName('x', [])).toBeUndefined();
    expect(nearestName('a'.repeat(1000), ['a'.repeat(1000)])).toBeUndefined();
  });
});

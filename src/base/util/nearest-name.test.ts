import { describe, expect, it } from 'vitest';
import { didYouMean } from './nearest-name.ts';

describe('didYouMean', () => {
  it('names the nearest by edits, whatever the case', () => {
    expect(didYouMean('INPUT_IDS', ['attention_mask', 'input_ids'])).toBe("; did you mean 'input_ids'?");
    expect(didYouMean('inptu', ['output', 'input'])).toBe("; did you mean 'input'?");
    expect(didYouMean('prot', ['port'], '`')).toBe('; did you mean `port`?');
  });

  it('says nothing where nothing is near', () => {
    expect(didYouMean('zebra', ['input', 'mask'])).toBe('');
    expect(didYouMean('x', [])).toBe('');
    expect(didYouMean('a'.repeat(1000), ['a'.repeat(1000)])).toBe('');
  });
});

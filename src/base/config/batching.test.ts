import { describe, expect, it } from 'vitest';
import { BATCHING } from './batching.ts';

describe('the choice of batching', () => {
  it.each(['auto', 'off'])('takes the word %s', (word) => {
    expect(BATCHING.fromValue(word)).toBe(word);
    expect(BATCHING.fromText(word.toUpperCase())).toBe(word);
  });

  it('takes an object with limits', () => {
    const limits = { maxBatchSize: 32, maxDelayMs: 0.5, preferredBatchSizes: [8, 16], preserveOrder: true };
    expect(BATCHING.fromValue(limits)).toEqual(limits);
  });

  it('takes limits as text', () => {
    const text =
      'maxBatchSize=32, maxDelayMs=0.5,preferredBatchSizes=8+16,preserveOrder=false,priorityLevels=3';
    expect(BATCHING.fromText(text)).toEqual({
      maxBatchSize: 32,
      maxDelayMs: 0.5,
      preferredBatchSizes: [8, 16],
      preserveOrder: false,
      priorityLevels: 3,
    });
  });

  it.each<{ readonly value: unknown }>([
    { value: {} },
    { value: [] },
    { value: null },
    { value: 'fast' },
    { value: { maxBatchSize: 0 } },
    { value: { maxBatchSize: 1.5 } },
    { value: { maxDelayMs: -1 } },
    { value: { preferredBatchSizes: [] } },
    { value: { preserveOrder: 'yes' } },
    { value: { batchSize: 4 } },
    { value: { toString: 1 } },
    { value: { defaultPriority: 2 } },
    { value: { priorityLevels: 2, defaultPriority: 3 } },
  ])('refuses $value', ({ value }) => {
    expect(BATCHING.fromValue(value)).toBeUndefined();
  });

  it.each(['', 'maxBatchSize', 'maxBatchSize=', 'maxBatchSize=x', 'maxBatchSize=1,maxBatchSize=2', 'a=1'])(
    'refuses the text %j',
    (text) => {
      expect(BATCHING.fromText(text)).toBeUndefined();
    },
  );
});

import { describe, expect, it } from 'vitest';
import { onlyInput } from './only-input.ts';
import type { TensorSpec } from './signature.ts';

const input = (name: string, optional = false): TensorSpec => ({
  ...{ name, datatype: 'FP32', shape: [], dimensionNames: [] },
  ...(optional ? { optional } : {}),
});

describe('onlyInput', () => {
  it.each<[string, readonly TensorSpec[], string | undefined]>([
    ['the only one', [input('a')], 'a'],
    ['the only one, with a default', [input('a', true)], 'a'],
    ['the only one without a default', [input('a', true), input('b'), input('c', true)], 'b'],
    ['none of several', [input('a'), input('b'), input('c', true)], undefined],
    ['none of several with defaults', [input('a', true), input('b', true)], undefined],
    ['none where there is none', [], undefined],
  ])('gives %s', (_, inputs, name) => {
    expect(onlyInput(inputs)?.name).toBe(name);
  });
});

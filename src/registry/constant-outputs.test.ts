import { describe, expect, it } from 'vitest';
import type { Signature } from '../model/signature.ts';
import { readConstant } from './constant-outputs.ts';

const signature: Signature = {
  inputs: [],
  outputs: [
    { name: 'label', datatype: 'INT64', shape: [-1], dimensionNames: [undefined] },
    { name: 'scores', datatype: 'FP32', shape: [-1, 3], dimensionNames: [undefined, undefined] },
  ],
  batchAxis: 0,
};

describe('readConstant', () => {
  it('takes one row of each output, in the order of the signature', () => {
    expect(readConstant(signature, { scores: [0.25, 0.5, 0.25], label: [1] }, 'here')).toEqual([
      { name: 'label', datatype: 'INT64', shape: [1], data: new BigInt64Array([1n]) },
      { name: 'scores', datatype: 'FP32', shape: [1, 3], data: new Float32Array([0.25, 0.5, 0.25]) },
    ]);
  });

  it.each([
    { given: { label: [1] }, where: 'here.scores' },
    { given: { label: [1], scores: [1, 2, 3], other: [1] }, where: 'here.other' },
    { given: { label: ['one'], scores: [1, 2, 3] }, where: 'here.label' },
  ])('says where it does not fit: $where', ({ given, where }) => {
    expect(() => readConstant(signature, given, 'here')).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(where) }),
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBytesData } from '../../../base/tensor/bytes.ts';
import { floatToHalf } from '../../../base/tensor/half.ts';
import type { Tensor } from '../../../base/tensor/tensor.ts';
import { type LabelledScore, labelsOf } from './top-labels.ts';

const NAMES = ['a', 'b', 'c'];

function scores(shape: readonly number[], values: readonly number[]): Tensor {
  return { name: 'p', datatype: 'FP32', shape, data: Float32Array.from(values) };
}

describe('labelsOf', () => {
  it('ranks the scores of each row, with the digits of their datatype', () => {
    expect(labelsOf(scores([2, 3], [0.1, 0.7, 0.2, 0.5, 0.25, 0.25]), NAMES)).toEqual([
      [
        { label: 'b', score: 0.7 },
        { label: 'c', score: 0.2 },
        { label: 'a', score: 0.1 },
      ],
      [
        { label: 'a', score: 0.5 },
        { label: 'b', score: 0.25 },
        { label: 'c', score: 0.25 },
      ],
    ]);
  });

  it.each([
    ['[C]', [3], 1],
    ['[N,C,1,1]', [2, 3, 1, 1], 2],
    ['[1,C,1]', [1, 3, 1], 1],
    ['no rows', [0, 3], 0],
  ])('finds the classes in %s', (_, shape, rows) => {
    const count = shape.reduce((product, size) => product * size, 1);
    expect(labelsOf(scores(shape, Array(count).fill(1)), NAMES)).toHaveLength(rows);
  });

  it.each([
    ['another number of classes', scores([1, 4], [1, 2, 3, 4])],
    ['classes for each of many places', scores([1, 3, 2], [1, 2, 3, 4, 5, 6])],
    ['a scalar', scores([], [1])],
    ['text', { name: 't', datatype: 'BYTES', shape: [1], data: toBytesData(['a']) } satisfies Tensor],
    ['flags', { name: 'f', datatype: 'BOOL', shape: [1], data: Uint8Array.of(1) } satisfies Tensor],
    [
      'indexes on a grid',
      { name: 'i', datatype: 'INT32', shape: [1, 2], data: Int32Array.of(0, 1) } satisfies Tensor,
    ],
  ])('says nothing about %s', (_, output) => {
    expect(labelsOf(output, NAMES)).toBeUndefined();
  });

  it('reads half precision, and ranks what is no number last', () => {
    const data = Uint16Array.from([Number.NaN, 0.5, Number.POSITIVE_INFINITY], floatToHalf);
    expect(labelsOf({ name: 'p', datatype: 'FP16', shape: [1, 3], data }, NAMES)).toEqual([
      [
        { label: 'c', score: null },
        { label: 'b', score: 0.5 },
        { label: 'a', score: null },
      ],
    ]);
  });

  it('names class indexes, and null where there is no such class', () => {
    const indexes: Tensor = {
      name: 'i',
      datatype: 'INT64',
      shape: [4],
      data: BigInt64Array.of(2n, 0n, 3n, -1n),
    };
    expect(labelsOf(indexes, NAMES)).toEqual(['c', 'a', null, null]);
    expect(labelsOf({ ...indexes, shape: [4, 1] }, NAMES)).toEqual(['c', 'a', null, null]);
  });

  it('gives the five best of any row, as sorting does', () => {
    fc.assert(
      fc.property(fc.array(fc.float({ noNaN: true }), { minLength: 2, maxLength: 40 }), (values) => {
        const names = values.map((_, index) => `class ${index}`);
        const [row] = labelsOf(scores([1, values.length], values), names) as LabelledScore[][];
        const order = values
          .map((score, index) => ({ score, index }))
          .sort((a, b) => (a.score === b.score ? 0 : b.score > a.score ? 1 : -1));
        expect(row?.map(({ label }) => label)).toEqual(
          order.slice(0, 5).map(({ index }) => `class ${index}`),
        );
      }),
    );
  });
});

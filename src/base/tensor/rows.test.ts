import { describe, expect, it } from 'vitest';
import { toBytesData, toStrings } from './bytes.ts';
import { concatRows, rowCount, sliceRows } from './rows.ts';
import type { BytesData, Tensor } from './tensor.ts';

const numbers: Tensor = {
  name: 'x',
  datatype: 'FP32',
  shape: [3, 2],
  data: Float32Array.of(1, 2, 3, 4, 5, 6),
};
const texts: Tensor = {
  name: 't',
  datatype: 'BYTES',
  shape: [3, 1],
  data: toBytesData(['one', 'zwei', '']),
};

describe('rowCount', () => {
  it('is dimension 0', () => {
    expect(rowCount(numbers)).toBe(3);
    expect(() => rowCount({ ...numbers, shape: [] })).toThrow("tensor 'x' is a scalar and has no rows");
  });
});

describe('sliceRows', () => {
  it('is a view', () => {
    const slice = sliceRows(numbers, 1, 3);
    expect(slice).toMatchObject({ name: 'x', datatype: 'FP32', shape: [2, 2] });
    expect(slice.data).toEqual(Float32Array.of(3, 4, 5, 6));
    expect((slice.data as Float32Array).buffer).toBe((numbers.data as Float32Array).buffer);
  });

  it('is a view of BYTES, too', () => {
    const slice = sliceRows(texts, 1, 3);
    expect(toStrings(slice.data as BytesData)).toEqual(['zwei', '']);
    expect((slice.data as BytesData).bytes).toBe((texts.data as BytesData).bytes);
  });

  it('may be empty, and refuses what is outside', () => {
    expect(sliceRows(numbers, 3, 3).shape).toEqual([0, 2]);
    for (const [from, to] of [
      [-1, 1],
      [2, 1],
      [0, 4],
    ] as const) {
      expect(() => sliceRows(numbers, from, to)).toThrow('has 3 rows');
    }
  });
});

describe('concatRows', () => {
  it('undoes slicing, for numbers, bigints and texts', () => {
    const longs: Tensor = { name: 'n', datatype: 'INT64', shape: [3], data: BigInt64Array.of(1n, -2n, 3n) };
    for (const tensor of [numbers, longs]) {
      const parts = [sliceRows(tensor, 0, 1), sliceRows(tensor, 1, 1), sliceRows(tensor, 1, 3)];
      expect(concatRows(parts)).toEqual(tensor);
    }
    const joined = concatRows([sliceRows(texts, 1, 3), sliceRows(texts, 0, 1)]);
    expect(joined.shape).toEqual([3, 1]);
    expect(toStrings(joined.data as BytesData)).toEqual(['zwei', '', 'one']);
  });

  it('returns a single tensor as it is', () => {
    expect(concatRows([numbers])).toBe(numbers);
  });

  it('keeps rows without elements', () => {
    const empty: Tensor = { name: 'x', datatype: 'FP32', shape: [2, 0], data: new Float32Array(0) };
    expect(concatRows([empty, empty]).shape).toEqual([4, 0]);
  });

  it('refuses rows of another shape or datatype, and nothing', () => {
    const narrow: Tensor = { ...numbers, shape: [6, 1] };
    expect(() => concatRows([numbers, narrow])).toThrow(
      "tensor 'x': expected FP32 rows of [2], got FP32 rows of [1]",
    );
    expect(() => concatRows([numbers, { ...numbers, datatype: 'FP64' }])).toThrow('got FP64 rows of [2]');
    expect(() => concatRows([])).toThrow('at least one tensor');
  });
});

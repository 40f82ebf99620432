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

  it('counts elements, of which a row of BYTES may have several or none', () => {
    const pairs = { ...texts, shape: [2, 2], data: toBytesData(['a', 'b', 'c', 'd']) };
    expect(toStrings(sliceRows(pairs, 1, 2).data as BytesData)).toEqual(['c', 'd']);
    expect(toStrings(sliceRows(pairs, 0, 1).data as BytesData)).toEqual(['a', 'b']);
    const none = { ...texts, shape: [2, 0], data: toBytesData([]) };
    expect(toStrings(sliceRows(none, 1, 2).data as BytesData)).toEqual([]);
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

  it('refuses rows of another rank, named with all their dimensions', () => {
    const cube: Tensor = { ...numbers, shape: [1, 2, 3] };
    const flat: Tensor = { ...numbers, shape: [6] };
    expect(() => concatRows([cube, numbers])).toThrow(
      "tensor 'x': expected FP32 rows of [2,3], got FP32 rows of [2]",
    );
    expect(() => concatRows([numbers, cube])).toThrow('expected FP32 rows of [2], got FP32 rows of [2,3]');
    expect(() => concatRows([numbers, flat])).toThrow('got FP32 rows of []');
    expect(() => concatRows([flat, numbers])).toThrow('expected FP32 rows of []');
  });

  it('refuses more BYTES than offsets can address', () => {
    const vast = (end: number): Tensor => ({
      ...{ name: 't', datatype: 'BYTES', shape: [1] },
      data: { bytes: new Uint8Array(0), offsets: Uint32Array.of(0, end) },
    });
    expect(() => concatRows([vast(0xffff_ffff), vast(1)])).toThrow(
      'expected at most 4 GiB of BYTES in one tensor, got 4294967296 bytes',
    );
  });
});

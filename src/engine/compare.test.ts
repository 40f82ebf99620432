import { describe, expect, it } from 'vitest';
import { toBytesData } from '../base/tensor/bytes.ts';
import { floatToHalf } from '../base/tensor/half.ts';
import type { Tensor } from '../base/tensor/tensor.ts';
import { compareTensors } from './compare.ts';

function floats(...values: number[]): Tensor {
  return { name: 'y', datatype: 'FP32', shape: [values.length], data: Float32Array.from(values) };
}

describe('compareTensors', () => {
  it('forgives the last digits of floats, and small values their large neighbours', () => {
    expect(compareTensors(floats(100, 1), floats(100.01, 1.001))).toBe('same');
    expect(compareTensors(floats(100, 1e-9), floats(100, 1e-3))).toBe('same');
    expect(compareTensors(floats(1, 1e-9), floats(1, 1e-3))).toBe('different');
    expect(compareTensors(floats(1, 2), floats(1, 2.01))).toBe('different');
  });

  it('takes equal infinities as equal and cannot decide over NaN', () => {
    const { POSITIVE_INFINITY: infinity, NaN: nan } = Number;
    expect(compareTensors(floats(infinity, -infinity), floats(infinity, -infinity))).toBe('same');
    expect(compareTensors(floats(infinity), floats(1))).toBe('different');
    expect(compareTensors(floats(nan), floats(nan))).toBe('undecided');
    expect(compareTensors(floats(nan, 1), floats(nan, 2))).toBe('different');
  });

  it('reads FP16 bits as numbers', () => {
    const half = (value: number): Tensor => ({
      ...{ name: 'y', datatype: 'FP16', shape: [1] },
      data: Uint16Array.of(floatToHalf(value)),
    });
    expect(compareTensors(half(1), half(1.001))).toBe('same');
    expect(compareTensors(half(1), half(1.1))).toBe('different');
  });

  it('wants integers and texts equal', () => {
    const ids = (id: bigint): Tensor => ({
      name: 'y',
      datatype: 'INT64',
      shape: [1],
      data: BigInt64Array.of(id),
    });
    expect(compareTensors(ids(2n ** 60n), ids(2n ** 60n))).toBe('same');
    expect(compareTensors(ids(2n ** 60n), ids(2n ** 60n + 1n))).toBe('different');
    const texts = (...list: string[]): Tensor => ({
      ...{ name: 'y', datatype: 'BYTES', shape: [list.length] },
      data: toBytesData(list),
    });
    expect(compareTensors(texts('a', 'bc'), texts('a', 'bc'))).toBe('same');
    expect(compareTensors(texts('a', 'bc'), texts('ab', 'c'))).toBe('different');
  });

  it('wants shapes and datatypes equal', () => {
    expect(compareTensors(floats(1), { ...floats(1), shape: [1, 1] })).toBe('different');
    expect(compareTensors(floats(1), { ...floats(1), datatype: 'FP64' })).toBe('different');
  });
});

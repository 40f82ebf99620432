import { describe, expect, it } from 'vitest';
import { toStrings } from '../base/tensor/bytes.ts';
import { DATATYPES } from '../base/tensor/datatype.ts';
import { halfToFloat } from '../base/tensor/half.ts';
import type { BytesData } from '../base/tensor/tensor.ts';
import { createSeededRandom } from '../base/util/seeded-random.ts';
import { dimensionKeys, exampleInputs } from './example.ts';
import type { Signature } from './signature.ts';
import { validateRequest } from './validate.ts';

const everyDatatype: Signature = {
  inputs: DATATYPES.map((datatype) => ({
    name: datatype,
    datatype,
    shape: [-1, 2, -1],
    dimensionNames: ['N', undefined, 'length'],
  })),
  outputs: [],
  batchAxis: 0,
};

const options = () => ({ random: createSeededRandom(1), rows: 3, dimension: () => 5 });

describe('exampleInputs', () => {
  it('fits its own signature for every datatype and is repeatable', () => {
    const inputs = exampleInputs(everyDatatype, options());
    validateRequest(everyDatatype, { inputs });
    expect(inputs.map((input) => input.shape)).toEqual(DATATYPES.map(() => [3, 2, 5]));
    expect(exampleInputs(everyDatatype, options())).toEqual(inputs);
  });

  it('leaves optional inputs out and makes scalars', () => {
    const signature: Signature = {
      inputs: [
        { name: 'sr', datatype: 'INT64', shape: [], dimensionNames: [] },
        { name: 'bias', datatype: 'FP32', shape: [1], dimensionNames: [undefined], optional: true },
      ],
      outputs: [],
      batchAxis: 'none',
    };
    const inputs = exampleInputs(signature, options());
    expect(inputs.map((input) => input.name)).toEqual(['sr']);
    expect(inputs[0]?.data).toHaveLength(1);
  });

  it('stays within index limits, outliers too', () => {
    for (const kind of ['typical', 'outlier'] as const) {
      const inputs = exampleInputs(everyDatatype, {
        ...options(),
        rows: 50,
        indexLimits: { INT64: 7 },
        kind,
      });
      const ids = inputs.find((input) => input.name === 'INT64')?.data as BigInt64Array;
      expect(ids.every((id) => id >= 0n && id < 7n)).toBe(true);
      expect(new Set(ids).size).toBe(7);
    }
  });

  it('makes outliers that are large and still finite in FP16', () => {
    const inputs = exampleInputs(everyDatatype, { ...options(), kind: 'outlier' });
    const largest = (name: string, toNumber = (value: number) => value) =>
      Math.max(
        ...Array.from(inputs.find((input) => input.name === name)?.data as Float32Array, toNumber).map(
          Math.abs,
        ),
      );
    expect(largest('FP32')).toBeGreaterThan(500);
    expect(largest('FP16', halfToFloat)).toBeGreaterThan(50);
    expect(largest('FP16', halfToFloat)).toBeLessThan(65_504);
    expect(largest('INT32')).toBeGreaterThan(3000);
    expect(largest('INT8')).toBeLessThan(128);
  });

  it('writes numerals where the model wants to read numbers', () => {
    const text = exampleInputs(everyDatatype, { ...options(), text: 'numerals' }).find(
      (input) => input.name === 'BYTES',
    );
    for (const element of toStrings(text?.data as BytesData))
      expect(Number.isInteger(Number(element))).toBe(true);
  });
});

describe('dimensionKeys', () => {
  it('lists each name once, rows not, and unnamed or placeholder dimensions by their place', () => {
    const signature: Signature = {
      inputs: [
        { name: 'a', datatype: 'FP32', shape: [-1, -1, -1], dimensionNames: ['N', 'length', undefined] },
        { name: 'b', datatype: 'FP32', shape: [-1, -1, -1], dimensionNames: ['N', 'length', 'unk__3'] },
      ],
      outputs: [],
      batchAxis: 0,
    };
    expect(dimensionKeys(signature)).toEqual(['length', 'a:2', 'b:2']);
    expect(dimensionKeys({ ...signature, batchAxis: 'none' })).toEqual(['N', 'length', 'a:2', 'b:2']);
  });
});

import { describe, expect, it } from 'vitest';
import { toStrings } from '../base/tensor/bytes.ts';
import { isBytesData, type Tensor } from '../base/tensor/tensor.ts';
import { createFakeModel } from '../model/fake-model.ts';
import type { ServedModel } from '../registry/contract.ts';
import { ROWS_OF_FOUR, toFakeServed } from '../registry/fake-served.ts';
import { refuseClasses, withClasses } from './classes.ts';

const served: ServedModel = {
  ...toFakeServed(createFakeModel({ name: 'm', signature: ROWS_OF_FOUR })),
  labels: { y: ['a', 'b', 'c', 'd'] },
};
const scores: Tensor = { name: 'y', datatype: 'FP32', shape: [1, 4], data: Float32Array.of(0, 2, 1, 3) };

function wanting(classification: number | undefined, name = 'y') {
  return [{ name, binary: undefined, classification, parameters: {} }];
}

function textsOf(tensors: readonly Tensor[]): readonly string[] {
  return tensors.flatMap(({ data }) => (isBytesData(data) ? toStrings(data) : []));
}

describe('withClasses', () => {
  it('gives the same outputs where no classes are wanted', () => {
    const outputs = [scores];
    expect(withClasses(outputs, undefined, served)).toBe(outputs);
    expect(withClasses(outputs, wanting(undefined), served)).toBe(outputs);
  });

  it('writes the class names of the output', () => {
    expect(textsOf(withClasses([scores], wanting(2), served))).toEqual(['3.000000:3:d', '2.000000:1:b']);
  });

  it('counts rows as the configuration says, and otherwise where they were proven to be rows', () => {
    const shapeWith = (fields: Partial<ServedModel>) =>
      withClasses([scores], wanting(1), { ...served, ...fields })[0]?.shape;
    expect(shapeWith({})).toEqual([1, 1]);
    expect(shapeWith({ config: { max_batch_size: 0 } })).toEqual([1]);
    // By its shapes the model has rows.
    expect(served.artifact.signature.batchAxis).toBe(0);
    const model = { ...served.model, signature: { ...ROWS_OF_FOUR, batchAxis: 'none' } as const };
    expect(shapeWith({ model })).toEqual([1]);
    expect(shapeWith({ model, config: { max_batch_size: 8 } })).toEqual([1, 1]);
  });
});

describe('refuseClasses', () => {
  it('takes outputs of numbers, and leaves unknown ones to others', () => {
    for (const requested of [undefined, wanting(undefined), wanting(3), wanting(3, 'z')]) {
      expect(() => refuseClasses(requested, served)).not.toThrow();
    }
  });

  it('names the place of an output that holds no scores', () => {
    const outputs = [{ name: 'y', datatype: 'BOOL', shape: [4], dimensionNames: [] } as const];
    const model = { ...served.model, signature: { ...ROWS_OF_FOUR, outputs } };
    const requested = [...wanting(undefined, 'z'), ...wanting(1)];
    expect(() => refuseClasses(requested, { ...served, model })).toThrow(
      "outputs[1].parameters.classification: expected an output of numbers, got 'y' of BOOL",
    );
  });
});

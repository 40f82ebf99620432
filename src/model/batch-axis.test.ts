import { describe, expect, it } from 'vitest';
import { inferBatchAxis } from './batch-axis.ts';
import { withOpenRows } from './fixed-rows.ts';
import type { TensorSpec } from './signature.ts';

function spec(name: string, shape: readonly (number | string)[], more: Partial<TensorSpec> = {}): TensorSpec {
  return {
    name,
    datatype: 'FP32',
    shape: shape.map((dimension) => (typeof dimension === 'number' ? dimension : -1)),
    dimensionNames: shape.map((dimension) =>
      typeof dimension === 'number' || dimension === '' ? undefined : dimension,
    ),
    ...more,
  };
}

describe('inferBatchAxis', () => {
  it.each<[string, TensorSpec[], TensorSpec[], string]>([
    ['named alike', [spec('x', ['N', 4])], [spec('y', ['N', 2])], "dimension 0 ('N') is dynamic"],
    ['unnamed', [spec('x', ['', 4])], [spec('y', ['']), spec('z', [''])], 'dimension 0 is dynamic'],
    ['named and unnamed', [spec('x', ['N']), spec('w', [''])], [spec('y', ['N'])], "('N')"],
    ['numbered by tf2onnx', [spec('x', ['unk__1', 4])], [spec('y', ['unk__2'])], 'dimension 0 is dynamic'],
    [
      'with an optional input of fixed shape',
      [spec('x', ['N']), spec('bias', [1], { optional: true })],
      [spec('y', ['N'])],
      "('N')",
    ],
  ])('is 0: %s', (_, inputs, outputs, reason) => {
    const verdict = inferBatchAxis(inputs, outputs);
    expect(verdict.axis).toBe(0);
    expect(verdict.reason).toContain(reason);
  });

  it.each<[string, TensorSpec[], TensorSpec[], string]>([
    ['no inputs', [], [spec('y', ['N'])], 'needs no input'],
    ['no outputs', [spec('x', ['N'])], [], 'gives no output'],
    ['a scalar input', [spec('x', ['N']), spec('sr', [])], [spec('y', ['N'])], "input 'sr' is a scalar"],
    ['a fixed input', [spec('x', [1, 4])], [spec('y', ['N'])], "input 'x' is fixed at 1"],
    ['a fixed output', [spec('x', ['N'])], [spec('y', [2])], "output 'y' is fixed at 2"],
    ['two names', [spec('x', ['N'])], [spec('y', ['M'])], "'N' in one tensor and 'M' in another"],
    ['a square', [spec('x', ['N', 'N'])], [spec('y', ['N'])], "is also dimension 1 of input 'x'"],
    ['any rank', [spec('x', [''], { anyRank: true })], [spec('y', [''])], 'no fixed number of dimensions'],
  ])('is none: %s', (_, inputs, outputs, reason) => {
    const verdict = inferBatchAxis(inputs, outputs);
    expect(verdict.axis).toBe('none');
    expect(verdict.reason).toContain(reason);
  });
});

describe('a model of fixed batches', () => {
  it('has a number of rows to which runs can be filled up', () => {
    const verdict = inferBatchAxis([spec('x', [8, 4]), spec('w', [8])], [spec('y', [8, 'T'])]);
    expect(verdict).toMatchObject({ axis: 'none', fixedRows: 8 });
    expect(verdict.reason).toMatch(/dimension 0 is fixed at 8 in every input and output; .*maxBatchSize/);
  });

  it.each<[string, TensorSpec[], TensorSpec[]]>([
    ['one row', [spec('x', [1, 4])], [spec('y', [1])]],
    ['other numbers', [spec('x', [8, 4]), spec('w', [4])], [spec('y', [8])]],
    [
      'another number in an optional input',
      [spec('x', [8]), spec('b', [1], { optional: true })],
      [spec('y', [8])],
    ],
    ['a dynamic output', [spec('x', [8, 4])], [spec('y', ['N'])]],
    ['a scalar', [spec('x', [8])], [spec('y', [])]],
    ['no input', [], [spec('y', [8])]],
    ['no output', [spec('x', [8])], []],
  ])('has none with %s', (_, inputs, outputs) => {
    expect(inferBatchAxis(inputs, outputs)).not.toHaveProperty('fixedRows');
  });

  it('takes as many rows in every input once its runs are filled up', () => {
    const { inputs, outputs, batchAxis } = withOpenRows({
      inputs: [spec('x', [8, 'rows']), spec('w', [8, 8])],
      outputs: [spec('y', [8])],
      batchAxis: 'none',
    });
    expect(batchAxis).toBe(0);
    expect([...inputs, ...outputs].map(({ shape }) => shape)).toEqual([[-1, -1], [-1, 8], [-1]]);
    expect(inputs.map(({ dimensionNames }) => dimensionNames)).toEqual([
      ['rows_', 'rows'],
      ['rows_', undefined],
    ]);
  });
});

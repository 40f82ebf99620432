import { describe, expect, it } from 'vitest';
import { inferBatchAxis } from './batch-axis.ts';
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

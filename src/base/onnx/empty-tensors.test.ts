import { describe, expect, it } from 'vitest';
import { operatorAgainstEmpty } from './empty-tensors.ts';

describe('operatorAgainstEmpty', () => {
  it('lets models of measured operators have empty tensors', () => {
    expect(operatorAgainstEmpty({})).toBeUndefined();
    expect(operatorAgainstEmpty({ Conv: 3, Relu: 2, 'ai.onnx.ml.ZipMap': 1 })).toBeUndefined();
  });

  it.each(['LSTM', 'TopK', 'InstanceNormalization', 'com.microsoft.QLinearAdd', 'my.domain.Relu', 'Unheard'])(
    'names %s',
    (operator) => {
      expect(operatorAgainstEmpty({ Relu: 1, [operator]: 1 })).toBe(operator);
    },
  );
});

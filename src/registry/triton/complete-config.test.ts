import { describe, expect, it } from 'vitest';
import { readModelConfig } from '../../base/triton/read-model-config.ts';
import type { Signature } from '../../model/signature.ts';
import { completeConfig } from './complete-config.ts';

const SIGNATURE: Signature = {
  inputs: [{ name: 'x', datatype: 'BYTES', shape: [-1, 4], dimensionNames: [] }],
  outputs: [{ name: 'y', datatype: 'FP16', shape: [-1], dimensionNames: [] }],
  batchAxis: 0,
};

function complete(text: string, signature = SIGNATURE) {
  return completeConfig({ name: 'm', config: readModelConfig(text, 'c').config, signature });
}

describe('completeConfig', () => {
  it('takes everything from the model where nothing is configured', () => {
    expect(completeConfig({ name: 'm', signature: SIGNATURE })).toMatchObject({
      name: 'm',
      backend: 'onnxruntime',
      max_batch_size: 2147483647,
      input: [{ name: 'x', data_type: 'TYPE_STRING', dims: [4] }],
      output: [{ name: 'y', data_type: 'TYPE_FP16', dims: [] }],
    });
    expect(complete('', { ...SIGNATURE, batchAxis: 'none' })).toMatchObject({
      max_batch_size: 0,
      input: [{ dims: [-1, 4] }],
    });
  });

  it('keeps what is configured', () => {
    const config = complete(
      'max_batch_size: 8 instance_group { count: 3 } input { name: "x" data_type: TYPE_STRING dims: [ 2, 2 ] reshape { shape: 4 } }',
    );
    expect(config).toMatchObject({
      max_batch_size: 8,
      instance_group: [{ count: 3 }],
      input: [{ name: 'x', dims: [2, 2], reshape: { shape: [4] } }],
      output: [{ name: 'y', dims: [] }],
    });
    expect(complete('max_batch_size: 0')).toMatchObject({ max_batch_size: 0, input: [{ dims: [-1, 4] }] });
  });

  it('follows the dims where they tell whether rows are left out', () => {
    expect(complete('input { name: "x" dims: 4 }')).toMatchObject({ output: [{ dims: [] }] });
    expect(complete('input { name: "x" dims: [ -1, 4 ] }')).toMatchObject({
      max_batch_size: 0,
      output: [{ dims: [-1] }],
    });
  });
});

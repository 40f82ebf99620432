import { describe, expect, it } from 'vitest';
import { createFakeModel } from '../../model/fake-model.ts';
import type { Signature } from '../../model/signature.ts';
import type { ServedModel } from '../contract.ts';
import { toFakeServed } from '../fake-served.ts';
import { servedConfig } from './served-config.ts';

const SIGNATURE: Signature = {
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4], dimensionNames: [] }],
  outputs: [{ name: 'y', datatype: 'INT64', shape: [-1], dimensionNames: [] }],
  batchAxis: 0,
};

/** @param batchAxis as loading proved it; by its shapes alone the model would have one */
function serving(fields: Partial<ServedModel> = {}, batchAxis: Signature['batchAxis'] = 0): ServedModel {
  const served = toFakeServed(createFakeModel({ name: 'm', signature: { ...SIGNATURE, batchAxis } }));
  return {
    ...served,
    platform: 'exec_python',
    artifact: { ...served.artifact, format: 'python', path: '/models/m/serve.py', signature: SIGNATURE },
    ...fields,
  };
}

describe('servedConfig', () => {
  it('tells what runs the model', () => {
    expect(servedConfig(serving())).toMatchObject({
      name: 'm',
      platform: 'exec_python',
      backend: 'exec',
      default_model_filename: 'serve.py',
      max_batch_size: 2147483647,
      input: [{ name: 'x', data_type: 'TYPE_FP32', dims: [4] }],
      output: [{ name: 'y', data_type: 'TYPE_INT64', dims: [] }],
    });
  });

  it('tells no rows where it was not proven that they are any', () => {
    expect(servedConfig(serving({}, 'none'))).toMatchObject({
      max_batch_size: 0,
      input: [{ dims: [-1, 4] }],
      output: [{ dims: [-1] }],
    });
    expect(servedConfig(serving({ config: { max_batch_size: 8 } }, 'none'))).toMatchObject({
      max_batch_size: 8,
      input: [{ dims: [4] }],
    });
  });

  it('keeps what the configuration says', () => {
    const config = { max_batch_size: 8, backend: 'onnxruntime', default_model_filename: 'net.onnx' };
    expect(servedConfig(serving({ config }))).toMatchObject({ ...config, input: [{ dims: [4] }] });
    expect(servedConfig(serving({ config: { max_batch_size: 0 } }))).toMatchObject({
      input: [{ dims: [-1, 4] }],
    });
  });
});

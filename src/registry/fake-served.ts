import type { Model } from '../model/contract.ts';
import type { Signature } from '../model/signature.ts';
import type { ServedModel } from './contract.ts';

/** Test support: served models without a file behind them. */

/** One FP32 input `x` of any number of rows of 4, and the same as output `y`. */
export const ROWS_OF_FOUR: Signature = {
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4], dimensionNames: ['rows', undefined] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 4], dimensionNames: ['rows', undefined] }],
  batchAxis: 0,
};

/** The model as the registry holds it. */
export function toFakeServed(model: Model): ServedModel {
  const { name, version, signature } = model;
  return {
    name,
    version,
    model,
    artifact: {
      format: 'onnx',
      path: `/nowhere/${name}.onnx`,
      sizeBytes: 1,
      contentHash: '00',
      signature,
      batchAxisReason: 'fake',
      indexLimits: {},
      omitted: [],
      metadata: {},
    },
    platform: 'fake_onnx',
    labels: {},
    example: undefined,
    loadedAtMs: 0,
    notes: {},
  };
}

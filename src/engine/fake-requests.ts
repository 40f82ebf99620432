import { createOwner } from '../base/tensor/owner.ts';
import type { Tensor } from '../base/tensor/tensor.ts';
import type { InferRequest } from '../model/request.ts';
import type { Signature } from '../model/signature.ts';

/** Test support: a signature of two inputs and two outputs, and requests that fit it. */

export const signature: Signature = {
  inputs: [
    { name: 'a', datatype: 'FP32', shape: [1], dimensionNames: [undefined] },
    { name: 'b', datatype: 'FP32', shape: [1], dimensionNames: [undefined] },
  ],
  outputs: [
    { name: 'y', datatype: 'FP32', shape: [1], dimensionNames: [undefined] },
    { name: 'z', datatype: 'FP32', shape: [1], dimensionNames: [undefined] },
  ],
  batchAxis: 'none',
};

export const tensor = (name: string): Tensor => ({
  name,
  datatype: 'FP32',
  shape: [1],
  data: Float32Array.of(1),
});

export function request(fields: Partial<InferRequest> = {}): InferRequest {
  return {
    model: 'm',
    id: 'r',
    inputs: [tensor('a'), tensor('b')],
    parameters: {},
    owner: createOwner(),
    ...fields,
  };
}

export const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

import { BORROWED } from '../../base/tensor/owner.ts';
import { concatRows, sliceRows } from '../../base/tensor/rows.ts';
import type { Tensor } from '../../base/tensor/tensor.ts';
import type { InferRequest, InferResponse } from '../../model/request.ts';
import type { Signature } from '../../model/signature.ts';
import type { Rung } from './fallback.ts';

/**
 * The same answer for everybody. Where the model counts rows, each row of a request gets it.
 *
 * @param outputs of one row, in the order of the signature
 */
export function createConstantRung(signature: Signature, outputs: readonly Tensor[]): Rung {
  function answer(request: InferRequest): InferResponse {
    const rows = signature.batchAxis === 0 ? (request.inputs[0]?.shape[0] ?? 1) : 1;
    const wanted = request.outputs?.length ? request.outputs : outputs.map(({ name }) => name);
    return {
      model: request.model,
      version: request.version ?? '',
      id: request.id,
      outputs: wanted.flatMap((name) => {
        const output = outputs.find((each) => each.name === name);
        return output === undefined ? [] : [repeated(output, rows)];
      }),
      parameters: {},
      report: { cache: 'none', computeNs: 0, cacheable: false },
      owner: BORROWED,
    };
  }

  return { name: 'constant', answer: async (request) => answer(request), answerNow: answer };
}

function repeated(output: Tensor, rows: number): Tensor {
  return rows === 0 ? sliceRows(output, 0, 0) : concatRows(Array.from({ length: rows }, () => output));
}

import type { DecodedInferRequest } from '../base/oip/decoded-request.ts';
import type { BufferOwner } from '../base/tensor/owner.ts';
import type { InferRequest } from '../model/request.ts';
import { sequenceOf } from './infer-parameters.ts';

/**
 * What a client asked for, on whichever protocol, as the registry takes it.
 *
 * @param version undefined: the default one
 * @throws NimifyError INVALID_INPUT: parameters
 */
export function toInferRequest(
  decoded: DecodedInferRequest,
  model: string,
  version: string | undefined,
  owner: BufferOwner,
): InferRequest {
  const { id, inputs, outputs, parameters } = decoded;
  const sequence = sequenceOf(parameters);
  return {
    model,
    ...(version === undefined ? {} : { version }),
    id,
    inputs,
    ...(outputs === undefined ? {} : { outputs: outputs.map((one) => one.name) }),
    parameters,
    ...(sequence === undefined ? {} : { sequence }),
    owner,
  };
}

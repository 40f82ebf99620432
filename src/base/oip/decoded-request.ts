import type { Tensor } from '../tensor/tensor.ts';
import type { ParameterRecord } from './parameters.ts';

/** An entry of the request's `outputs`: what is wanted, and how. */
export interface RequestedOutput {
  readonly name: string;
  /** `binary_data`: the answer's elements as binary data. Undefined: as the request says for all outputs. */
  readonly binary: boolean | undefined;
  /** `classification`: the top classes instead of the tensor, at least 1. Undefined: the tensor. */
  readonly classification: number | undefined;
  /** All other parameters. */
  readonly parameters: ParameterRecord;
}

export interface DecodedInferRequest {
  /** Empty where the client sent none. */
  readonly id: string;
  /** All but `binary_data_output`. */
  readonly parameters: ParameterRecord;
  /** Views over the body where they came as aligned binary data; fresh arrays else. Names are unique. */
  readonly inputs: readonly Tensor[];
  /** Undefined where absent or empty: every output is wanted. Names are unique. */
  readonly outputs: readonly RequestedOutput[] | undefined;
  /** `binary_data_output`: outputs that do not say otherwise travel as binary data. */
  readonly binaryByDefault: boolean;
}

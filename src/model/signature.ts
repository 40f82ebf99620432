import type { Datatype } from '../base/tensor/datatype.ts';

export interface TensorSpec {
  readonly name: string;
  readonly datatype: Datatype;
  /** Dimensions; -1 where dynamic. `[]` is a scalar. */
  readonly shape: readonly number[];
  /**
   * Symbolic names by dimension, `undefined` where a dimension is fixed or has no name. Dimensions of the same
   * name hold the same number within one request.
   */
  readonly dimensionNames: readonly (string | undefined)[];
  /** The graph gives this input a default (an initializer of the same name), so a request may leave it out. */
  readonly optional?: boolean;
  /** The graph does not say how many dimensions there are; `shape` is then `[-1]` and means nothing. */
  readonly anyRank?: boolean;
}

/** Dimension 0 of every input and output counts rows, or the model cannot be batched. */
export type BatchAxis = 0 | 'none';

export interface Signature {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly batchAxis: BatchAxis;
  /** An operator that may end the process on a tensor without elements: a dynamic dimension must not be 0 then. */
  readonly operatorAgainstEmpty?: string;
}

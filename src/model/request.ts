import { BORROWED, type BufferOwner } from '../base/tensor/owner.ts';
import type { Tensor } from '../base/tensor/tensor.ts';

export type ParameterValue = string | number | boolean;
export type Parameters = Readonly<Record<string, ParameterValue>>;

export interface SequencePosition {
  readonly id: string | number;
  readonly start: boolean;
  readonly end: boolean;
}

/** What is asked of a model, already decoded: nothing in it depends on the protocol it came by. */
export interface InferRequest {
  readonly model: string;
  /** Absent: the default version. */
  readonly version?: string;
  /** The client's own id, echoed in the answer; empty where the client sent none. */
  readonly id: string;
  readonly inputs: readonly Tensor[];
  /** Names of the wanted outputs; absent: all. */
  readonly outputs?: readonly string[];
  readonly parameters: Parameters;
  readonly sequence?: SequencePosition;
  /** Owner of the buffers that `inputs` are views over. */
  readonly owner: BufferOwner;
}

export interface InferReport {
  readonly cache: 'none' | 'hit' | 'miss' | 'stale';
  /** Which rung of a fallback ladder answered. */
  readonly fallback?: string;
  /** Members of an ensemble that contributed. */
  readonly members?: readonly string[];
  /** Time inside the engine, in nanoseconds. */
  readonly computeNs: number;
  /** Rows of the batch this request was run in. */
  readonly batchRows?: number;
  readonly cacheable: boolean;
}

export interface InferResponse {
  readonly model: string;
  readonly version: string;
  readonly id: string;
  readonly outputs: readonly Tensor[];
  readonly parameters: Parameters;
  readonly report: InferReport;
  /** Owner of the buffers that `outputs` are views over. */
  readonly owner: BufferOwner;
}

/** A request with sound defaults, for calls from within the process. The inputs' buffers stay the caller's. */
export function createInferRequest(
  fields: Pick<InferRequest, 'model' | 'inputs'> & Partial<InferRequest>,
): InferRequest {
  return { id: '', parameters: {}, ...fields, owner: fields.owner ?? BORROWED };
}

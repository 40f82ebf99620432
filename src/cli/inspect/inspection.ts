import { type ModelFile, type Problem, readModelFile } from '../../base/onnx/model-file.ts';
import type { OmittedPart } from '../../model/artifact.ts';
import { type BatchAxisVerdict, inferBatchAxis } from '../../model/batch-axis.ts';
import type { TensorSpec } from '../../model/signature.ts';
import { servableTensors } from '../../registry/artifact.ts';

/** What a model file says, and what nimify makes of it, without loading its weights. */
export interface Inspection {
  readonly file: ModelFile;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Inputs and outputs that the protocol cannot carry. */
  readonly omitted: readonly OmittedPart[];
  /** By the signature alone; loading the model proves or refutes it. */
  readonly batchAxis: BatchAxisVerdict;
  readonly isServable: boolean;
}

/** What loading the model showed (`--run`). */
export interface RunReport {
  readonly loadMs: number;
  /** What the engine noted: host and why, batch axis and its proof, the self-test. */
  readonly notes: Readonly<Record<string, string>>;
  /** With a `batching.maxBatchSize` where the batches of the model are fixed. */
  readonly batchAxis: 0 | 'none';
}

/** @throws NimifyError NOT_FOUND, INVALID_INPUT, UNSUPPORTED: no file, or none that can be read */
export async function inspectFile(path: string): Promise<Inspection> {
  const file = await readModelFile(path);
  const { inputs, outputs, omitted } = servableTensors(file);
  return {
    file,
    inputs,
    outputs,
    omitted,
    batchAxis: inferBatchAxis(inputs, outputs),
    isServable: !file.problems.some(isError),
  };
}

export function isError(problem: Problem): boolean {
  return problem.severity === 'error';
}

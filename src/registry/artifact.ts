import { NimifyError } from '../base/errors/nimify-error.ts';
import { operatorAgainstEmpty } from '../base/onnx/empty-tensors.ts';
import { hashModelFile, type ModelFile, type ValueInfo } from '../base/onnx/model-file.ts';
import type { Artifact, OmittedPart } from '../model/artifact.ts';
import { inferBatchAxis } from '../model/batch-axis.ts';
import type { TensorSpec } from '../model/signature.ts';

/**
 * What of a model file can be served. Outputs that are no tensors are left out with a reason.
 * @throws NimifyError UNSUPPORTED or INVALID_INPUT: the file's own problems, each with what to do
 */
export async function toArtifact(
  file: ModelFile,
  hash: (file: ModelFile) => Promise<string> = hashModelFile,
): Promise<Artifact> {
  refuseProblems(file);
  const { inputs, outputs, omitted } = servableTensors(file);
  const { axis, reason, fixedRows } = inferBatchAxis(inputs, outputs);
  const loopOperator = ['Loop', 'Scan'].find((operator) => file.operators[operator] !== undefined);
  const { crashOperator, emptyKernelOperator } = file.valueRisks;
  const againstEmpty = operatorAgainstEmpty(file.operators) ?? emptyKernelOperator;
  return {
    format: file.format,
    path: file.path,
    sizeBytes: file.sizeBytes,
    contentHash: await hash(file),
    signature: {
      inputs,
      outputs,
      batchAxis: axis,
      ...(againstEmpty === undefined ? {} : { operatorAgainstEmpty: againstEmpty }),
    },
    batchAxisReason: reason,
    ...(fixedRows === undefined ? {} : { fixedRows }),
    indexLimits: file.indexLimits,
    ...(loopOperator === undefined ? {} : { loopOperator }),
    ...(crashOperator === undefined ? {} : { crashOperator }),
    omitted,
    metadata: describe(file),
  };
}

function refuseProblems(file: ModelFile): void {
  const errors = file.problems.filter((problem) => problem.severity === 'error');
  const [first] = errors;
  if (first === undefined) return;
  const text = errors.map((problem) => `${problem.where}: ${problem.message}; ${problem.fix}`).join('\n  ');
  throw new NimifyError('UNSUPPORTED', `${file.path} cannot be served:\n  ${text}`, {
    details: { where: first.where },
  });
}

export interface ServableTensors {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** What is served without, each with the reason. */
  readonly omitted: readonly OmittedPart[];
}

/** The file's inputs and outputs as a signature has them. */
export function servableTensors(file: ModelFile): ServableTensors {
  const omitted: OmittedPart[] = [];
  const inputs = withoutDefaults(file, omitted).flatMap((info) => keepTensor(info, 'input', omitted));
  const outputs = file.outputs.flatMap((info) => keepTensor(info, 'output', omitted));
  return { inputs, outputs, omitted };
}

/**
 * onnxruntime-node 1.30 takes a value for an input with a default and silently answers with the default, so
 * such inputs are not offered. Up to IR version 3 they are weights, which nobody would miss.
 */
function withoutDefaults(file: ModelFile, omitted: OmittedPart[]): readonly ValueInfo[] {
  return file.inputs.filter((info) => {
    if (info.optional && file.irVersion > 3) {
      const reason = 'the engine always takes the default that the model gives it';
      omitted.push({ kind: 'input', name: info.name, reason });
    }
    return !info.optional;
  });
}

/** The tensor as a signature has it, or nothing: then the reason is added to `omitted`. */
function keepTensor(info: ValueInfo, kind: 'input' | 'output', omitted: OmittedPart[]): TensorSpec[] {
  if (info.kind !== 'tensor' || info.datatype === undefined) {
    omitted.push({ kind, name: info.name, reason: `${info.type} is no tensor that the protocol can carry` });
    return [];
  }
  return [
    {
      name: info.name,
      datatype: info.datatype,
      shape: info.shape ?? [-1],
      dimensionNames: info.dimensionNames,
      ...(info.shape === undefined ? { anyRank: true } : {}),
    },
  ];
}

function describe(file: ModelFile): Readonly<Record<string, string>> {
  const producer = [file.producer.name, file.producer.version].filter((part) => part !== '').join(' ');
  return {
    ...(file.description === '' ? {} : { description: file.description }),
    ...(producer === '' ? {} : { producer }),
    ...file.metadata,
  };
}

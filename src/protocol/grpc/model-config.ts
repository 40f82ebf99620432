import { basename } from 'node:path';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Datatype } from '../../base/tensor/datatype.ts';
import type { TensorSpec } from '../../model/signature.ts';
import type { ServedModel } from '../../registry/contract.ts';
import { DataType, type ModelConfigSchema } from './generated/inference/model_config_pb.ts';

/** Triton's names of datatypes are OIP's with a prefix, but for strings. */
function dataTypeOf(datatype: Datatype): DataType {
  return datatype === 'BYTES' ? DataType.TYPE_STRING : DataType[`TYPE_${datatype}`];
}

/**
 * What is true of a model in the words of Triton's model configuration. `max_batch_size` is 0, and so all dimensions
 * stand in `dims`: there is no largest batch, and no dimension that a request leaves out.
 */
export function modelConfigOf({
  name,
  platform,
  model,
  artifact,
}: ServedModel): MessageInitShape<typeof ModelConfigSchema> {
  const { inputs, outputs } = model.signature;
  return {
    name,
    platform,
    backend: platform.split('_')[0] ?? '',
    maxBatchSize: 0,
    input: inputs.map((spec) => ({ ...tensorOf(spec), optional: spec.optional === true })),
    output: outputs.map(tensorOf),
    defaultModelFilename: basename(artifact.path),
  };
}

function tensorOf({ name, datatype, shape }: TensorSpec) {
  return { name, dataType: dataTypeOf(datatype), dims: shape.map(BigInt) };
}

import { toDataType } from '../../base/triton/data-type.ts';
import type { ConfigInput, ConfigOutput, ModelConfig } from '../../base/triton/model-config.ts';
import type { Signature, TensorSpec } from '../../model/signature.ts';
import { countsRows } from './counts-rows.ts';

export interface CompleteInput {
  readonly name: string;
  /** What is configured; absent: nothing. */
  readonly config?: ModelConfig;
  /** As clients see the model. */
  readonly signature: Signature;
  /** What runs it, where no configuration says. Default: ONNX Runtime, from `model.onnx`. */
  readonly engine?: { readonly platform: string; readonly backend: string; readonly filename: string };
}

const ONNX_RUNTIME = {
  platform: 'onnxruntime_onnx',
  backend: 'onnxruntime',
  filename: 'model.onnx',
} as const;

/** The most that the field holds: nimify itself sets no limit on rows. */
const NO_LIMIT = 2 ** 31 - 1;

/**
 * A whole configuration, what is left out taken from the model, as Triton completes it: for clients that ask for the
 * configuration and expect one of every model.
 */
export function completeConfig({
  name,
  config = {},
  signature,
  engine = ONNX_RUNTIME,
}: CompleteInput): ModelConfig {
  const { inputs, outputs } = signature;
  const isBatched = countsRows(config, signature);
  const complete = <T extends ConfigInput | ConfigOutput>(spec: TensorSpec, given: T | undefined) => ({
    name: spec.name,
    data_type: toDataType(spec.datatype),
    dims: isBatched ? spec.shape.slice(1) : spec.shape,
    ...(spec.optional === true ? { optional: true } : {}),
    ...given,
  });
  return {
    platform: engine.platform,
    backend: engine.backend,
    version_policy: { latest: { num_versions: 1 } },
    max_batch_size: isBatched ? NO_LIMIT : 0,
    instance_group: [{ name, kind: 'KIND_CPU', count: 1 }],
    default_model_filename: engine.filename,
    ...config,
    name,
    input: inputs.map((spec) =>
      complete(
        spec,
        config.input?.find((one) => one.name === spec.name),
      ),
    ),
    output: outputs.map((spec) =>
      complete(
        spec,
        config.output?.find((one) => one.name === spec.name),
      ),
    ),
  };
}

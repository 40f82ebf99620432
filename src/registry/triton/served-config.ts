import { basename } from 'node:path';
import type { ModelConfig } from '../../base/triton/model-config.ts';
import type { ServedModel } from '../contract.ts';
import { completeConfig } from './complete-config.ts';

/** The whole configuration of a served model, as Triton's configuration extension tells it. */
export function servedConfig(served: ServedModel): ModelConfig {
  const { name, platform, artifact, config, model } = served;
  return completeConfig({
    name,
    ...(config === undefined ? {} : { config }),
    signature: model.signature,
    engine: { platform, backend: platform.split('_')[0] ?? platform, filename: basename(artifact.path) },
  });
}

import type { ModelConfig } from '../../base/triton/model-config.ts';
import { listProviders } from '../../engine/onnxruntime/providers.ts';

/** The execution providers that a configuration could use. To ask for them loads the runtime, so only where it matters. */
export async function findProviders({
  instance_group,
  optimization,
}: ModelConfig): Promise<readonly string[]> {
  const matters =
    optimization?.execution_accelerators !== undefined ||
    instance_group?.some(({ kind }) => kind === 'KIND_GPU') === true;
  if (!matters) return ['cpu'];
  const providers = await listProviders();
  return providers.filter(({ state }) => state !== 'missing').map(({ name }) => name);
}

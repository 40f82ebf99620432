import type { ModelConfig } from '../../base/triton/model-config.ts';
import type { Signature } from '../../model/signature.ts';
import type { ServedModel } from '../contract.ts';

/**
 * Does Triton take dimension 0 of this model for rows, and leave it out of `dims`? That is where `max_batch_size` is
 * above 0; where the configuration does not say, what it says of shapes tells, or the model's own batch axis. That is
 * the proven one, of a loaded model: who reads `max_batch_size` may put rows of several requests together, and rows
 * that change each other's answers must not be.
 */
export function countsRows(config: ModelConfig, { inputs, outputs, batchAxis }: Signature): boolean {
  if (config.max_batch_size !== undefined) return config.max_batch_size > 0;
  const given = [...(config.input ?? []), ...(config.output ?? [])].find(({ dims }) => dims !== undefined);
  const spec = [...inputs, ...outputs].find(({ name }) => name === given?.name);
  return spec === undefined ? batchAxis === 0 : spec.shape.length === (given?.dims?.length ?? 0) + 1;
}

/** Does dimension 0 of every input and output count rows, as the model's configuration shows it? */
export function servesRows(served: ServedModel): boolean {
  return countsRows(served.config ?? {}, served.model.signature);
}

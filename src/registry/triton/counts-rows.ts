import type { ModelConfig } from '../../base/triton/model-config.ts';
import type { Signature } from '../../model/signature.ts';
import type { ServedModel } from '../contract.ts';

/**
 * Does Triton take dimension 0 of this model for rows, and leave it out of `dims`? That is where `max_batch_size` is
 * above 0; where the configuration does not say, what it says of shapes tells, or the model's own batch axis.
 */
export function countsRows(config: ModelConfig, { inputs, outputs, batchAxis }: Signature): boolean {
  if (config.max_batch_size !== undefined) return config.max_batch_size > 0;
  const given = [...(config.input ?? []), ...(config.output ?? [])].find(({ dims }) => dims !== undefined);
  const spec = [...inputs, ...outputs].find(({ name }) => name === given?.name);
  return spec === undefined ? batchAxis === 0 : spec.shape.length === (given?.dims?.length ?? 0) + 1;
}

/** Does dimension 0 of every input and output count rows, as the model's configuration shows it? */
export function servesRows(served: ServedModel): boolean {
  return countsRows(served.config ?? {}, shownSignature(served));
}

/** As clients see it. Rows that may not be put together with those of other requests are rows all the same. */
export function shownSignature({ model, artifact }: ServedModel): Signature {
  return { ...model.signature, batchAxis: artifact.signature.batchAxis };
}

import type { TensorSpec } from './signature.ts';

/** The input that values without a name are for: the only one, or the only one without a default. */
export function onlyInput(inputs: readonly TensorSpec[]): TensorSpec | undefined {
  const required = inputs.filter((input) => input.optional !== true);
  const candidates = required.length > 0 ? required : inputs;
  return candidates.length === 1 ? candidates[0] : undefined;
}

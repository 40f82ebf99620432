import type { TensorSpec } from './signature.ts';

/**
 * What exporters write where a dimension has no name: tf2onnx numbers them (`unk__12`, another in every tensor),
 * others repeat one word in unrelated places. Such names tie nothing together.
 */
const PLACEHOLDER = /^(?:unk__\d+|\?|none|-1|)$/i;

/** The symbolic name of a dynamic dimension; undefined where it has none that means anything. */
export function dimensionName(spec: TensorSpec, axis: number): string | undefined {
  const name = spec.dimensionNames[axis];
  return name === undefined || PLACEHOLDER.test(name) ? undefined : name;
}

/** Identifies a dynamic dimension among a signature's: its name, which several tensors may share, or its place. */
export function dimensionKey(spec: TensorSpec, axis: number): string {
  return dimensionName(spec, axis) ?? `${spec.name}:${axis}`;
}

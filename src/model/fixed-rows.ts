import type { Signature, TensorSpec } from './signature.ts';

/**
 * Where dimension 0 of every input and output is fixed at the same number above 1, that number: a model exported for
 * batches of one size. Whether it counts rows, and whether these are independent, only runs can show.
 */
export function fixedRowsOf(
  inputs: readonly TensorSpec[],
  outputs: readonly TensorSpec[],
): number | undefined {
  const rows = inputs[0]?.shape[0] ?? 0;
  const isEverywhere = [...inputs, ...outputs].every(
    (spec) => spec.anyRank !== true && spec.shape[0] === rows,
  );
  return rows > 1 && outputs.length > 0 && isEverywhere ? rows : undefined;
}

/** The same model when its runs are filled up: dimension 0 counts rows, as many in every input. */
export function withOpenRows({ inputs, outputs, ...rest }: Signature): Signature {
  const name = freeName([...inputs, ...outputs]);
  const open = (specs: readonly TensorSpec[]) =>
    specs.map((spec) => ({
      ...spec,
      shape: [-1, ...spec.shape.slice(1)],
      dimensionNames: [name, ...spec.dimensionNames.slice(1)],
    }));
  return { ...rest, inputs: open(inputs), outputs: open(outputs), batchAxis: 0 };
}

/** A name that ties rows to rows, and to nothing else. */
function freeName(specs: readonly TensorSpec[]): string {
  let name = 'rows';
  while (specs.some(({ dimensionNames }) => dimensionNames.includes(name))) name += '_';
  return name;
}

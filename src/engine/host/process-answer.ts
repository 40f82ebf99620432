import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { Tensor } from '../../base/tensor/tensor.ts';
import type { TensorSpec } from '../../model/signature.ts';

/**
 * The wanted outputs, in the order in which they are wanted, held against what the child announced: what goes on
 * from here is what clients were promised. Outputs that were not asked for are left out.
 * @throws NimifyError ENGINE_FAILED
 */
export function pickOutputs(
  outputs: readonly Tensor[],
  wanted: readonly string[],
  specs: ReadonlyMap<string, TensorSpec>,
): readonly Tensor[] {
  return wanted.map((name) => {
    const output = outputs.find((candidate) => candidate.name === name);
    const spec = specs.get(name);
    if (output === undefined || spec === undefined) {
      const got = outputs.map((other) => `'${other.name}'`).join(', ') || 'none';
      throw unfit(`no output '${name}', only ${got}`);
    }
    if (output.datatype !== spec.datatype || !fits(spec, output.shape)) {
      const announced = `${spec.datatype}${spec.anyRank === true ? '' : `[${spec.shape}]`}`;
      throw unfit(
        `output '${name}' as ${output.datatype}[${output.shape}], but announced it as ${announced}`,
      );
    }
    return output;
  });
}

function fits({ shape: announced, anyRank }: TensorSpec, shape: readonly number[]): boolean {
  if (anyRank === true) return true;
  return (
    shape.length === announced.length && announced.every((size, axis) => size === -1 || size === shape[axis])
  );
}

function unfit(what: string): NimifyError {
  return new NimifyError('ENGINE_FAILED', `The engine's process gave ${what}`);
}

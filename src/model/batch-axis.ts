import { dimensionName } from './dimension-name.ts';
import { fixedRowsOf } from './fixed-rows.ts';
import type { BatchAxis, TensorSpec } from './signature.ts';

export interface BatchAxisVerdict {
  readonly axis: BatchAxis;
  /** One clause in words, for the log and for `inspect`. */
  readonly reason: string;
  /** Dimension 0 is fixed at this everywhere, so that runs could be filled up to as many rows. */
  readonly fixedRows?: number;
}

/**
 * Could dimension 0 count rows, by the signature alone? It could where it is dynamic in every input and output
 * and nothing ties it to something else. Whether rows are independent, only runs can show (engine/batch-proof).
 *
 * Optional inputs are left aside: a request leaves them out, or is not batched with others.
 */
export function inferBatchAxis(
  inputs: readonly TensorSpec[],
  outputs: readonly TensorSpec[],
): BatchAxisVerdict {
  const fixedRows = fixedRowsOf(inputs, outputs);
  if (fixedRows !== undefined) {
    const reason = `dimension 0 is fixed at ${fixedRows} in every input and output; with a batching.maxBatchSize runs are filled up to that if rows are independent`;
    return { ...none(reason), fixedRows };
  }
  const obstacle = rowObstacle(inputs, outputs);
  if (obstacle !== undefined) return none(obstacle);
  const places = placesOf(inputs, outputs);
  const open = places.find(({ spec }) => spec.anyRank === true);
  if (open !== undefined) return none(`${open.place} has no fixed number of dimensions`);

  const names = new Set(
    places.map(({ spec }) => dimensionName(spec, 0)).filter((name) => name !== undefined),
  );
  if (names.size > 1) {
    const [first, second] = [...names];
    return none(`dimension 0 is called '${first}' in one tensor and '${second}' in another`);
  }
  const [name] = names;
  for (const { spec, place } of places) {
    const axis = name === undefined ? -1 : spec.dimensionNames.indexOf(name, 1);
    if (axis > 0) return none(`'${name}', the name of dimension 0, is also dimension ${axis} of ${place}`);
  }
  const called = name === undefined ? '' : ` ('${name}')`;
  return { axis: 0, reason: `dimension 0${called} is dynamic in every input and output` };
}

/** Why dimension 0 can count no rows, whatever somebody says; undefined where it could. */
export function rowObstacle(
  inputs: readonly TensorSpec[],
  outputs: readonly TensorSpec[],
): string | undefined {
  const places = placesOf(inputs, outputs);
  if (places.length === outputs.length) return 'the model needs no input';
  if (outputs.length === 0) return 'the model gives no output';
  for (const { spec, place } of places) {
    if (spec.anyRank === true) continue;
    if (spec.shape.length === 0) return `${place} is a scalar`;
    if (spec.shape[0] !== -1) return `dimension 0 of ${place} is fixed at ${spec.shape[0]}`;
  }
  return undefined;
}

interface Place {
  readonly spec: TensorSpec;
  readonly place: string;
}

function placesOf(inputs: readonly TensorSpec[], outputs: readonly TensorSpec[]): readonly Place[] {
  const required = inputs.filter((input) => input.optional !== true);
  return [
    ...required.map((spec) => ({ spec, place: `input '${spec.name}'` })),
    ...outputs.map((spec) => ({ spec, place: `output '${spec.name}'` })),
  ];
}

function none(reason: string): BatchAxisVerdict {
  return { axis: 'none', reason };
}

import { invalidInput } from '../../base/errors/nimify-error.ts';
import type { Tensor } from '../../base/tensor/tensor.ts';
import type { Model, Policy } from '../../model/contract.ts';
import type { InferRequest, InferResponse } from '../../model/request.ts';
import type { Signature } from '../../model/signature.ts';
import { wrapModel } from '../../model/wrap-model.ts';

/** The same elements under two shapes; -1 where a dimension is dynamic, as often in one as in the other. */
export interface Reshape {
  readonly outside: readonly number[];
  readonly inside: readonly number[];
}

export interface DeclaredOptions {
  /** What clients see and are held to: at most what the model itself takes and gives. */
  readonly signature: Signature;
  /** Most rows of a request, where dimension 0 counts rows. */
  readonly maxRows?: number;
  /** By tensor name; those that are not here look inside as they do outside. */
  readonly inputs: Readonly<Record<string, Reshape>>;
  readonly outputs: Readonly<Record<string, Reshape>>;
}

/**
 * Shows a model under a signature that somebody declared for it: fewer outputs, another order, shapes that are
 * narrower or hold the same elements otherwise. No element is copied or moved.
 */
export function createDeclared(options: DeclaredOptions): Policy {
  const { signature, maxRows = Number.POSITIVE_INFINITY } = options;
  const names = signature.outputs.map(({ name }) => name);

  function refuseRows(model: Model, { inputs }: InferRequest): void {
    if (maxRows === Number.POSITIVE_INFINITY) return;
    const at = inputs.findIndex(({ shape }) => (shape[0] ?? 0) > maxRows);
    if (at < 0) return;
    const where = `inputs[${at}].shape`;
    const got = inputs[at]!.shape[0];
    throw invalidInput(
      `${where}: '${model.name}' takes at most ${maxRows} rows in a request (max_batch_size), got ${got}; send less at once`,
      { where, expected: `at most ${maxRows} rows`, got },
    );
  }

  function inward(request: InferRequest): InferRequest {
    return {
      ...request,
      inputs: reshapeAll(request.inputs, options.inputs, 'inward'),
      outputs: request.outputs?.length ? request.outputs : names,
    };
  }

  function outward(response: InferResponse): InferResponse {
    return { ...response, outputs: reshapeOutward(response.outputs, options.outputs) };
  }

  return (model) =>
    wrapModel(model, {
      kind: 'declared',
      signature,
      async infer(request, context) {
        refuseRows(model, request);
        return outward(await model.infer(inward(request), context));
      },
      inferNow(request, context) {
        refuseRows(model, request);
        const response = model.inferNow?.(inward(request), context);
        return response && outward(response);
      },
      turnAway: (context, isPlain) => model.turnAway?.(context, isPlain),
    });
}

/** The model's tensors as they look from outside. */
export function reshapeOutward(
  tensors: readonly Tensor[],
  reshapes: Readonly<Record<string, Reshape>>,
): readonly Tensor[] {
  return reshapeAll(tensors, reshapes, 'outward');
}

function reshapeAll(
  tensors: readonly Tensor[],
  reshapes: Readonly<Record<string, Reshape>>,
  direction: 'inward' | 'outward',
): readonly Tensor[] {
  if (tensors.every(({ name }) => !Object.hasOwn(reshapes, name))) return tensors;
  return tensors.map((tensor) => {
    const reshape = Object.hasOwn(reshapes, tensor.name) ? reshapes[tensor.name] : undefined;
    if (reshape === undefined) return tensor;
    const { outside, inside } = reshape;
    const shape =
      direction === 'inward'
        ? fillDynamic(inside, outside, tensor.shape)
        : fillDynamic(outside, inside, tensor.shape);
    return { ...tensor, shape };
  });
}

/** `to` with its dynamic dimensions as `shape`, which is one of `from`, has them: the first of one in the first of the other. */
function fillDynamic(
  to: readonly number[],
  from: readonly number[],
  shape: readonly number[],
): readonly number[] {
  const sizes = shape.filter((_, axis) => from[axis] === -1);
  let next = 0;
  return to.map((dimension) => (dimension === -1 ? sizes[next++]! : dimension));
}

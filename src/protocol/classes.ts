import type { RequestedOutput } from '../base/oip/decoded-request.ts';
import type { Tensor } from '../base/tensor/tensor.ts';
import { ownMember } from '../base/util/own-member.ts';
import { classify, refuseClassification } from '../model/classification.ts';
import type { ServedModel } from '../registry/contract.ts';
import { servesRows } from '../registry/triton/counts-rows.ts';

/** What a request says of its outputs; undefined: nothing. */
type Requested = readonly RequestedOutput[] | undefined;

/** Are any outputs wanted as classes? */
export function wantsClasses(requested: Requested): requested is readonly RequestedOutput[] {
  return requested?.some(isWantedAsClasses) === true;
}

/**
 * Before the model is asked: are there outputs wanted as classes that have none?
 * @throws NimifyError INVALID_INPUT
 */
export function refuseClasses(requested: Requested, { model }: ServedModel): void {
  if (!wantsClasses(requested)) return;
  for (const [index, output] of requested.entries()) {
    const spec = model.signature.outputs.find(({ name }) => name === output.name);
    if (spec !== undefined && isWantedAsClasses(output)) refuseClassification(spec, placeOf(index));
  }
}

/**
 * The outputs of an answer, with the best classes instead of those that are wanted so.
 * @throws NimifyError INVALID_INPUT
 */
export function withClasses(
  outputs: readonly Tensor[],
  requested: Requested,
  served: ServedModel,
): readonly Tensor[] {
  if (!wantsClasses(requested)) return outputs;
  const hasRows = servesRows(served);
  return outputs.map((output) => {
    const index = requested.findIndex(({ name }) => name === output.name);
    const count = requested[index]?.classification;
    if (count === undefined) return output;
    const labels = ownMember(served.labels, output.name) ?? [];
    return classify(output, { count, hasRows, labels, where: placeOf(index) });
  });
}

function isWantedAsClasses({ classification }: RequestedOutput): boolean {
  return classification !== undefined;
}

function placeOf(index: number): string {
  return `outputs[${index}].parameters.classification`;
}

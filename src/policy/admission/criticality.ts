import type { RequestContext } from '../../model/context.ts';

/** How much it matters that a request is answered, the most first. */
export const CRITICALITIES = ['critical', 'default', 'sheddable'] as const;
export type Criticality = (typeof CRITICALITIES)[number];

/** The header, or metadata of gRPC, in which a client says it. */
export const CRITICALITY_HEADER = 'x-nimify-criticality';

/** As the client says, or where it says nothing that is known, as the model's are. */
export function criticalityOf({ attributes }: RequestContext, ofModel: Criticality): Criticality {
  const said = attributes[CRITICALITY_HEADER];
  return CRITICALITIES.find((each) => each === said) ?? ofModel;
}

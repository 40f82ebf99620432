import type { NimifyError } from '../base/errors/nimify-error.ts';
import type { RequestContext } from './context.ts';
import type { Model } from './contract.ts';
import type { InferRequest, InferResponse } from './request.ts';
import type { Signature } from './signature.ts';

/** What a policy does otherwise than the model that it wraps. */
export interface Wrapping {
  readonly kind: string;
  /** Default: the model's own. */
  readonly signature?: Signature;
  infer(request: InferRequest, context: RequestContext): Promise<InferResponse>;
  /** Offered only where the model can answer at once. */
  inferNow(request: InferRequest, context: RequestContext): InferResponse | undefined;
  /** Offered only where the model refuses beforehand. Absent: nobody is turned away, whatever the model says. */
  turnAway?(context: RequestContext, isPlain: () => boolean): NimifyError | undefined;
}

/** A Model around one other: all else is as that one has it. */
export function wrapModel(model: Model, { kind, signature, infer, inferNow, turnAway }: Wrapping): Model {
  return {
    kind,
    name: model.name,
    version: model.version,
    ...(model.revision === undefined ? {} : { revision: model.revision }),
    signature: signature ?? model.signature,
    get state() {
      return model.state;
    },
    onState: (listener) => model.onState(listener),
    deterministic: model.deterministic,
    varies: model.varies,
    inner: [model],
    infer,
    ...(model.inferNow === undefined ? {} : { inferNow }),
    ...(model.turnAway === undefined || turnAway === undefined ? {} : { turnAway }),
    close: (how) => model.close(how),
  };
}

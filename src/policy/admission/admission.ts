import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { Clock } from '../../base/util/clock.ts';
import type { RequestContext } from '../../model/context.ts';
import type { Model, Policy } from '../../model/contract.ts';
import type { InferRequest, InferResponse } from '../../model/request.ts';
import { wrapModel } from '../../model/wrap-model.ts';
import { createGradientLimit } from './gradient-limit.ts';

export interface AdmissionOptions {
  /** Requests that may always be in flight: slots x efficient rows x 2 keeps every slot busy. */
  readonly minLimit: () => number;
  /** Requests that may be in flight at most. Default 1024. */
  readonly maxLimit?: number;
}

/**
 * Keeps latency flat under overload: no more requests in flight within than can be answered about as fast as without
 * a queue; the limit is learned (see `createGradientLimit`), and further requests are refused with OVERLOADED. Counts
 * requests, not rows, unary and sequence ones alike. An answer given at once was never in flight: it is refused above
 * the limit like any other, but not counted.
 *
 * Of a model that answers at once the limit is the largest: to refuse costs as much as to answer there, and would only
 * add to the work. Its sockets are read more slowly instead.
 */
export function createAdmission({ clock }: { readonly clock: Clock }, options: AdmissionOptions): Policy {
  const { minLimit, maxLimit = 1024 } = options;
  const limit = createGradientLimit({ minLimit, maxLimit });
  let inFlight = 0;

  function isFull({ inferNow }: Model): boolean {
    return inFlight >= (inferNow === undefined ? limit.limit : maxLimit);
  }

  async function infer(model: Model, request: InferRequest, context: RequestContext): Promise<InferResponse> {
    if (isFull(model)) throw overloaded();
    const sinceNs = clock.nowNs();
    const among = ++inFlight;
    try {
      const response = await model.infer(request, context);
      const nowNs = clock.nowNs();
      limit.observe(nowNs, nowNs - sinceNs, among);
      return response;
    } finally {
      inFlight--;
    }
  }

  function inferNow(model: Model, request: InferRequest, context: RequestContext): InferResponse | undefined {
    if (isFull(model)) throw overloaded();
    return model.inferNow?.(request, context);
  }

  /** By the time that those in flight take, as many places have become free as there are. */
  function overloaded(): NimifyError {
    const retryAfterMs = Math.max(1, Math.ceil(limit.recentNs / 1e6));
    const message = `${inFlight} requests are in flight, more than can be answered in time; try again in ${retryAfterMs} ms`;
    return new NimifyError('OVERLOADED', message, { retryAfterMs });
  }

  return (model) =>
    wrapModel(model, {
      kind: 'admission',
      infer: (request, context) => infer(model, request, context),
      inferNow: (request, context) => inferNow(model, request, context),
      turnAway: (context, isPlain) => (isFull(model) ? overloaded() : model.turnAway?.(context, isPlain)),
    });
}

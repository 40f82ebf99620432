import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { Clock } from '../../base/util/clock.ts';
import type { RequestContext } from '../../model/context.ts';
import type { Model, Policy } from '../../model/contract.ts';
import type { InferRequest, InferResponse } from '../../model/request.ts';
import { wrapModel } from '../../model/wrap-model.ts';
import { type Criticality, criticalityOf } from './criticality.ts';
import { createGradientLimit } from './gradient-limit.ts';

export interface AdmissionOptions {
  /** Requests that may always be in flight: slots x efficient rows x 2 keeps every slot busy. */
  readonly minLimit: () => number;
  /** Requests that may be in flight at most. Default 1024. */
  readonly maxLimit?: number;
  /** Requests that may be in flight whatever is learned: a bulkhead between this model and the others. Default: any. */
  readonly maxConcurrent?: number;
  /** Of requests that say nothing of it themselves. Default `default`. */
  readonly criticality?: Criticality;
  /** Share of the limit that sheddable requests may fill. Default 0.5. */
  readonly sheddableShare?: number;
}

export interface AdmissionInstruments {
  refused(criticality: Criticality): void;
}

/** How many times the learned limit critical requests may be in flight: they are refused last, but not never. */
const CRITICAL_FACTOR = 2;

/**
 * Keeps latency flat under overload: no more requests in flight within than can be answered about as fast as without
 * a queue; the limit is learned (see `createGradientLimit`), and further requests are refused with OVERLOADED. Counts
 * requests, not rows, unary and sequence ones alike. An answer given at once was never in flight: it is refused above
 * the limit like any other, but not counted.
 *
 * Of a model that answers at once the limit is the largest: to refuse costs as much as to answer there, and would only
 * add to the work. Its sockets are read more slowly instead.
 *
 * What matters less is refused first (B. Beyer and others, Site Reliability Engineering, 2016, "Criticality"): sheddable
 * requests where a share of the limit is in flight, others at the limit, critical ones at twice of it.
 */
export function createAdmission(
  { clock, instruments }: { readonly clock: Clock; readonly instruments?: AdmissionInstruments },
  options: AdmissionOptions,
): Policy {
  const { minLimit, criticality: ofModel = 'default', sheddableShare = 0.5 } = options;
  const maxLimit = Math.min(options.maxLimit ?? 1024, options.maxConcurrent ?? Number.POSITIVE_INFINITY);
  const limit = createGradientLimit({ minLimit, maxLimit });
  let inFlight = 0;

  /** Undefined: there is room. */
  function refusal({ inferNow }: Model, context: RequestContext): NimifyError | undefined {
    const most = inferNow === undefined ? limit.limit : maxLimit;
    // Mostly there is room for all, and nobody has to say how much it matters.
    if (inFlight < most * sheddableShare) return undefined;
    const criticality = criticalityOf(context, ofModel);
    if (criticality !== 'sheddable' && inFlight < most) return undefined;
    if (criticality === 'critical' && inFlight < Math.min(maxLimit, CRITICAL_FACTOR * most)) return undefined;
    instruments?.refused(criticality);
    return overloaded();
  }

  async function infer(model: Model, request: InferRequest, context: RequestContext): Promise<InferResponse> {
    const refused = refusal(model, context);
    if (refused !== undefined) throw refused;
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
    const refused = refusal(model, context);
    if (refused !== undefined) throw refused;
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
      turnAway: (context, isPlain) => refusal(model, context) ?? model.turnAway?.(context, isPlain),
    });
}

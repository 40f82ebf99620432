import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { ErrorCode } from '../../base/errors/table.ts';
import type { RequestContext } from '../../model/context.ts';
import type { Model, Policy } from '../../model/contract.ts';
import type { InferRequest, InferResponse } from '../../model/request.ts';
import { wrapModel } from '../../model/wrap-model.ts';

/** What may answer instead of a model. */
export interface Rung {
  /** As the answer and the metrics say it, such as `small`, `digits:1` or `constant`. */
  readonly name: string;
  /** Undefined, or a failure of any kind: the next one is asked. */
  answer(request: InferRequest, context: RequestContext): Promise<InferResponse> | undefined;
  /** The same before it returns; undefined: not at once. */
  answerNow(request: InferRequest, context: RequestContext): InferResponse | undefined;
}

export interface FallbackInstruments {
  answered(rung: string): void;
  /** No rung answered either. */
  exhausted(): void;
}

/** What a model cannot help: that it is broken, left alone, away or has too much to do. */
const REPLACEABLE: ReadonlySet<ErrorCode> = new Set([
  'CIRCUIT_OPEN',
  'ENGINE_CRASHED',
  'ENGINE_FAILED',
  'INTERNAL',
  'MODEL_NOT_READY',
  'OVERLOADED',
  'STORE_UNAVAILABLE',
]);

/**
 * Has somebody else answer where the model does not: the rungs of a ladder, one after the other. The answer comes under
 * the name and version that were asked for, and its report says whose it is. Where no rung answers, the caller hears
 * what the model said. What is wrong with a request, or came too late, is said as it is; so is whatever befalls a request
 * of a sequence, whose state is with the model.
 */
export function createFallback(
  { instruments }: { readonly instruments?: FallbackInstruments },
  rungs: readonly Rung[],
): Policy {
  /** Failures of attempts at once, for the attempt that follows: the model is not asked a second time. */
  const failedNow = new WeakMap<InferRequest, NimifyError>();

  function isReplaceable(failure: unknown, request: InferRequest): failure is NimifyError {
    return request.sequence === undefined && failure instanceof NimifyError && REPLACEABLE.has(failure.code);
  }

  async function climb(
    model: Model,
    request: InferRequest,
    context: RequestContext,
    failure: NimifyError,
  ): Promise<InferResponse> {
    for (const rung of rungs) {
      if (context.cancel.cancelled) break;
      try {
        const response = await rung.answer(request, context);
        if (response !== undefined) return toAnswer(model, request, response, rung);
      } catch {
        // The next one may do it; what is told in the end is what the model itself said.
      }
    }
    instruments?.exhausted();
    throw failure;
  }

  function toAnswer(model: Model, { id }: InferRequest, response: InferResponse, rung: Rung): InferResponse {
    instruments?.answered(rung.name);
    return {
      model: model.name,
      version: model.version,
      id,
      outputs: response.outputs,
      parameters: response.parameters,
      report: { ...response.report, fallback: rung.name, cacheable: false },
      owner: response.owner,
    };
  }

  function infer(model: Model, request: InferRequest, context: RequestContext): Promise<InferResponse> {
    const { owner } = request;
    owner.retain();
    const before = failedNow.get(request);
    failedNow.delete(request);
    const answer =
      before === undefined
        ? model.infer(request, context).catch((failure: unknown) => {
            if (!isReplaceable(failure, request)) throw failure;
            return climb(model, request, context, failure);
          })
        : climb(model, request, context, before);
    return answer.finally(() => owner.release());
  }

  function inferNow(model: Model, request: InferRequest, context: RequestContext): InferResponse | undefined {
    try {
      return model.inferNow!(request, context);
    } catch (failure) {
      if (!isReplaceable(failure, request)) throw failure;
      const [rung] = rungs;
      const response = rung && tryNow(rung, request, context);
      if (rung !== undefined && response !== undefined) return toAnswer(model, request, response, rung);
      failedNow.set(request, failure);
      return undefined;
    }
  }

  // No `turnAway`: whoever would be turned away may be answered by a rung.
  return (model) =>
    wrapModel(model, {
      kind: 'fallback',
      infer: (request, context) => infer(model, request, context),
      inferNow: (request, context) => inferNow(model, request, context),
    });
}

function tryNow(rung: Rung, request: InferRequest, context: RequestContext): InferResponse | undefined {
  try {
    return rung.answerNow(request, context);
  } catch {
    return undefined;
  }
}

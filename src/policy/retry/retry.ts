import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { ErrorCode } from '../../base/errors/table.ts';
import type { CancelToken } from '../../base/util/cancel.ts';
import type { Clock } from '../../base/util/clock.ts';
import type { RequestContext } from '../../model/context.ts';
import type { Model, Policy } from '../../model/contract.ts';
import type { InferRequest, InferResponse } from '../../model/request.ts';
import { wrapModel } from '../../model/wrap-model.ts';
import { createRetryBudget, type RetryBudgetOptions } from './budget.ts';

export interface RetryOptions extends RetryBudgetOptions {
  /** Tries of a request, the first included. Default 2: one that crashes engines is not to be handed to all of them. */
  readonly maxTries?: number;
  /** Longest time before the second try; twice as long before each further one. Default 10. */
  readonly baseDelayMs?: number;
  /** Default 1000. */
  readonly maxDelayMs?: number;
}

export interface RetryInstruments {
  retried(): void;
  /** It would have been tried again, but for the budget. */
  outOfBudget(): void;
}

/** What another try may mend. What our own queues and breakers refuse would only meet them again. */
const TRANSIENT: ReadonlySet<ErrorCode> = new Set(['ENGINE_CRASHED', 'STORE_UNAVAILABLE']);

/**
 * Tries a request again that failed for a reason which may be gone, such as a crash of the process that ran it: an
 * inference can be made twice. Waits a time drawn from all of a growing one before (M. Brooker, Exponential Backoff and
 * Jitter, AWS, 2015), or as long as the answer says, and gives up where the deadline would pass meanwhile or the budget
 * is spent. Requests of a sequence are not tried again: what holds their state may have taken them in.
 *
 * The request's buffers are held until its end, so that a host copies them where it would have taken them.
 */
export function createRetry(
  { clock, instruments }: { readonly clock: Clock; readonly instruments?: RetryInstruments },
  options: RetryOptions = {},
): Policy {
  const { maxTries = 2, baseDelayMs = 10, maxDelayMs = 1000 } = options;
  const budget = createRetryBudget(clock, options);

  function infer(model: Model, request: InferRequest, context: RequestContext): Promise<InferResponse> {
    if (request.sequence !== undefined) return model.infer(request, context);
    budget.request();
    const { owner } = request;
    owner.retain();
    let tries = 1;

    function done(response: InferResponse): InferResponse {
      budget.ended(false);
      owner.release();
      return response;
    }

    function failed(failure: unknown): Promise<InferResponse> {
      const isTransient = failure instanceof NimifyError && TRANSIENT.has(failure.code);
      budget.ended(isTransient);
      // One that is being closed would only say so.
      const mayHelp = isTransient && model.state !== 'draining';
      const delayMs = mayHelp ? delayBefore(failure, tries, context) : undefined;
      if (delayMs === undefined) {
        owner.release();
        return Promise.reject(failure);
      }
      tries += 1;
      instruments?.retried();
      return wait(clock, delayMs, context.cancel)
        .then(() => model.infer(request, context))
        .then(done, failed);
    }

    return model.infer(request, context).then(done, failed);
  }

  /** How long to wait before the next try; undefined: there is to be none. */
  function delayBefore(failure: NimifyError, tries: number, { cancel, deadlineAtNs }: RequestContext) {
    if (tries >= maxTries || cancel.cancelled) return undefined;
    const drawnMs = clock.random() * Math.min(maxDelayMs, baseDelayMs * 2 ** (tries - 1));
    const delayMs = Math.max(drawnMs, failure.retryAfterMs ?? 0);
    if (clock.nowNs() + delayMs * 1e6 >= deadlineAtNs) return undefined;
    if (budget.take()) return delayMs;
    instruments?.outOfBudget();
    return undefined;
  }

  /** What is answered at once happens on this thread: a crash there leaves nobody to try it again. */
  function inferNow(model: Model, request: InferRequest, context: RequestContext): InferResponse | undefined {
    const response = model.inferNow!(request, context);
    if (response !== undefined && request.sequence === undefined) budget.request();
    return response;
  }

  return (model) =>
    wrapModel(model, {
      kind: 'retry',
      infer: (request, context) => infer(model, request, context),
      inferNow: (request, context) => inferNow(model, request, context),
      turnAway: (context, isPlain) => model.turnAway?.(context, isPlain),
    });
}

/** Rejects at once where the request is cancelled meanwhile. */
function wait(clock: Clock, delayMs: number, cancel: CancelToken): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(() => {
      cancel.off(onCancel);
      resolve();
    }, delayMs);
    function onCancel(): void {
      timer.cancel();
      reject(cancelled(cancel));
    }
    cancel.on(onCancel);
  });
}

function cancelled({ reason }: CancelToken): NimifyError {
  return reason === 'deadline'
    ? new NimifyError('DEADLINE_EXCEEDED', 'The deadline passed before the next try')
    : new NimifyError('CANCELLED', 'The request was cancelled before the next try');
}

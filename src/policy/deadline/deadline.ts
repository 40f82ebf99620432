import { NimifyError } from '../../base/errors/nimify-error.ts';
import { type CancelToken, createCancelSource } from '../../base/util/cancel.ts';
import type { Clock } from '../../base/util/clock.ts';
import type { RequestContext } from '../../model/context.ts';
import type { Model, Policy } from '../../model/contract.ts';
import type { InferRequest, InferResponse } from '../../model/request.ts';
import { wrapModel } from '../../model/wrap-model.ts';

export interface DeadlineOptions {
  /** Time for a request that sets no deadline, in milliseconds. `Infinity`: as long as it takes. */
  readonly defaultTimeoutMs: number;
}

/**
 * Nobody waits past the deadline: a request without one gets the default, and when it passes, the caller is
 * answered with DEADLINE_EXCEEDED and everything within is cancelled. What already runs in an engine may go on, on most hosts;
 * its answer is dropped and its buffers are freed.
 */
export function createDeadline({ clock }: { readonly clock: Clock }, options: DeadlineOptions): Policy {
  const defaultTimeoutNs = options.defaultTimeoutMs * 1e6;

  function infer(model: Model, request: InferRequest, outer: RequestContext): Promise<InferResponse> {
    const nowNs = clock.nowNs();
    const wanted = outer.deadlineAtNs;
    const deadlineAtNs = wanted === Number.POSITIVE_INFINITY ? nowNs + defaultTimeoutNs : wanted;
    if (deadlineAtNs === Number.POSITIVE_INFINITY) return model.infer(request, outer);
    const timeoutMs = (deadlineAtNs - nowNs) / 1e6;
    if (timeoutMs <= 0) return Promise.reject(deadlineExceeded(0));

    const cancel = createCancelSource();
    return new Promise((resolve, reject) => {
      let expired = false;
      const timer = clock.setTimer(() => {
        expired = true;
        reject(deadlineExceeded(timeoutMs));
        cancel.cancel('deadline');
      }, timeoutMs);
      const onOuterCancel = () => cancel.cancel(outer.cancel.reason ?? 'client-left');
      outer.cancel.on(onOuterCancel);

      function finish(): void {
        timer.cancel();
        outer.cancel.off(onOuterCancel);
      }

      model.infer(request, within(outer, deadlineAtNs, cancel)).then(
        (response) => {
          finish();
          if (expired) response.owner.release();
          else resolve(response);
        },
        (error) => {
          finish();
          reject(error);
        },
      );
    });
  }

  /** What is answered before this returns needs no timer. Like any run in its engine, it may end past its deadline. */
  function inferNow(model: Model, request: InferRequest, context: RequestContext): InferResponse | undefined {
    const { deadlineAtNs } = context;
    const isLate =
      deadlineAtNs === Number.POSITIVE_INFINITY ? defaultTimeoutNs <= 0 : deadlineAtNs <= clock.nowNs();
    if (isLate) throw deadlineExceeded(0);
    return model.inferNow?.(request, context);
  }

  function turnAway(model: Model, outer: RequestContext, isPlain: () => boolean): NimifyError | undefined {
    const isOpen = outer.deadlineAtNs === Number.POSITIVE_INFINITY;
    const deadlineAtNs = isOpen ? clock.nowNs() + defaultTimeoutNs : outer.deadlineAtNs;
    return model.turnAway?.(within(outer, deadlineAtNs, outer.cancel), isPlain);
  }

  return (model) =>
    wrapModel(model, {
      kind: 'deadline',
      infer: (request, context) => infer(model, request, context),
      inferNow: (request, context) => inferNow(model, request, context),
      turnAway: (context, isPlain) => turnAway(model, context, isPlain),
    });
}

/** Each field by its name: spreading them takes many times as long, and every request that waits comes by here. */
function within(outer: RequestContext, deadlineAtNs: number, cancel: CancelToken): RequestContext {
  return {
    requestId: outer.requestId,
    deadlineAtNs,
    cancel,
    principal: outer.principal,
    priority: outer.priority,
    attributes: outer.attributes,
    phases: outer.phases,
  };
}

function deadlineExceeded(timeoutMs: number): NimifyError {
  const after =
    timeoutMs === 0 ? 'before the model was asked' : `${Math.round(timeoutMs)} ms after it was asked`;
  return new NimifyError('DEADLINE_EXCEEDED', `The deadline passed ${after}; allow more time or send less`);
}

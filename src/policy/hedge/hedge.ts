import { NimifyError } from '../../base/errors/nimify-error.ts';
import { type CancelSource, type CancelToken, createCancelSource } from '../../base/util/cancel.ts';
import type { Clock, Timer } from '../../base/util/clock.ts';
import type { RequestContext } from '../../model/context.ts';
import type { Model } from '../../model/contract.ts';
import type { MembersModel } from '../../model/member.ts';
import type { InferRequest, InferResponse } from '../../model/request.ts';
import { wrapModel } from '../../model/wrap-model.ts';
import { createPercentile } from './percentile.ts';

export interface HedgeOptions {
  /** Most second copies for each request. Default 0.05. */
  readonly share?: number;
  /** Of the time that answers take: who takes longer is asked for a second time. Default 95. */
  readonly percentile?: number;
  /** Not before so long. Default 1. */
  readonly minDelayMs?: number;
}

export interface HedgeInstruments {
  sent(): void;
  /** The second copy was answered first. */
  won(): void;
}

/** Most second copies that a calm time leaves for a bad one. */
const MOST_SAVED = 10;

/**
 * Asks another member too where the answer takes longer than most (J. Dean and L. Barroso, The Tail at Scale, 2013): the
 * first answer counts, and the other copy is cancelled. Only where another member has room now, for few of the requests,
 * and never for those of a sequence.
 *
 * The request's buffers are held until its end, so that a host copies them where it would have taken them.
 */
export function createHedge(
  { clock, instruments }: { readonly clock: Clock; readonly instruments?: HedgeInstruments },
  options: HedgeOptions = {},
): (model: MembersModel) => Model {
  const { share = 0.05, percentile = 95, minDelayMs = 1 } = options;
  const times = createPercentile(percentile);
  let saved = 0;

  function infer(
    model: MembersModel,
    request: InferRequest,
    context: RequestContext,
  ): Promise<InferResponse> {
    if (request.sequence !== undefined) return model.infer(request, context);
    saved = Math.min(MOST_SAVED, saved + share);
    const fromNs = clock.nowNs();
    const afterNs = times.value;
    if (afterNs === undefined) {
      const answer = model.infer(request, context);
      answer.then(
        () => times.observe(clock.nowNs() - fromNs),
        () => {},
      );
      return answer;
    }
    return new Promise((resolve, reject) => {
      const race = createRace(request, context, {
        onAnswer(response, isSecond) {
          timer.cancel();
          if (isSecond) instruments?.won();
          times.observe(clock.nowNs() - fromNs);
          resolve(response);
        },
        onFailure(failure) {
          timer.cancel();
          reject(failure);
        },
      });
      const timer: Timer = clock.setTimer(second, Math.max(minDelayMs, afterNs / 1e6));
      race.enter((inner) => model.infer(request, inner));

      function second(): void {
        if (saved < 1 || context.cancel.cancelled) return;
        const isSent = race.enter((inner) => model.inferElsewhere(request, inner));
        if (!isSent) return;
        saved -= 1;
        instruments?.sent();
      }
    });
  }

  return (model) =>
    wrapModel(model, {
      kind: 'hedge',
      infer: (request, context) => infer(model, request, context),
      inferNow: (request, context) => model.inferNow?.(request, context),
      turnAway: (context, isPlain) => model.turnAway?.(context, isPlain),
    });
}

interface RaceEnd {
  onAnswer(response: InferResponse, isSecond: boolean): void;
  onFailure(failure: unknown): void;
}

/** Copies of one request, of which the first that is answered counts. Answers of the others are let go. */
function createRace({ owner }: InferRequest, context: RequestContext, end: RaceEnd) {
  const copies: CancelSource[] = [];
  const onCancel = () => cancelAll(context.cancel.reason ?? 'client-left');
  let running = 0;
  let isOver = false;
  let firstFailure: unknown;

  function cancelAll(reason: NonNullable<CancelToken['reason']>): void {
    for (const copy of copies) copy.cancel(reason);
  }

  function finish(): void {
    isOver = true;
    context.cancel.off(onCancel);
    cancelAll('client-left');
  }

  function leave(): void {
    running -= 1;
    if (running === 0 && isOver) owner.release();
  }

  owner.retain();
  context.cancel.on(onCancel);
  return {
    /** False: there is nobody to ask. */
    enter(ask: (inner: RequestContext) => Promise<InferResponse> | undefined): boolean {
      const cancel = createCancelSource();
      const answer = ask({ ...context, cancel });
      if (answer === undefined) return false;
      const isSecond = copies.length > 0;
      copies.push(cancel);
      running += 1;
      if (context.cancel.cancelled) onCancel();
      answer.then(
        (response) => {
          if (isOver) response.owner.release();
          else {
            finish();
            end.onAnswer(response, isSecond);
          }
          leave();
        },
        (failure: unknown) => {
          firstFailure ??= failure;
          // The other copy may be answered, unless the request itself is wrong.
          if (!isOver && (running === 1 || isWrong(failure))) {
            finish();
            end.onFailure(firstFailure);
          }
          leave();
        },
      );
      return true;
    },
  };
}

function isWrong(failure: unknown): boolean {
  return failure instanceof NimifyError && failure.code === 'INVALID_INPUT';
}

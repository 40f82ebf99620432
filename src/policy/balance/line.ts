import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { CancelToken } from '../../base/util/cancel.ts';
import type { Clock } from '../../base/util/clock.ts';
import type { RequestContext } from '../../model/context.ts';
import type { InferRequest, InferResponse } from '../../model/request.ts';

/** Requests that wait for a member, in the order in which they came. */
export interface Line {
  readonly isEmpty: boolean;
  enter(request: InferRequest, context: RequestContext): Promise<InferResponse>;
  /** Somebody may have room. */
  dispatch(): void;
  refuse(why: () => NimifyError): void;
  /** Settles when nobody waits any more, at most after `graceMs`. */
  drained(clock: Clock, graceMs: number): Promise<void>;
}

interface Waiting {
  readonly go: () => void;
  readonly refuse: (error: NimifyError) => void;
}

export function createLine(
  hasRoom: () => boolean,
  ask: (request: InferRequest, context: RequestContext) => Promise<InferResponse>,
): Line {
  const waiting = new Set<Waiting>();
  let whenEmpty: (() => void) | undefined;

  function leave(one: Waiting): void {
    waiting.delete(one);
    if (waiting.size === 0) whenEmpty?.();
  }

  return {
    get isEmpty() {
      return waiting.size === 0;
    },
    enter(request, context) {
      return new Promise((resolve, reject) => {
        const { cancel } = context;
        const onCancel = () => one.refuse(cancelled(cancel));
        const one: Waiting = {
          go() {
            cancel.off(onCancel);
            leave(one);
            resolve(ask(request, context));
          },
          refuse(error) {
            cancel.off(onCancel);
            leave(one);
            reject(error);
          },
        };
        waiting.add(one);
        cancel.on(onCancel);
      });
    },
    dispatch() {
      for (const one of waiting) {
        if (!hasRoom()) return;
        one.go();
      }
    },
    refuse(why) {
      for (const one of waiting) one.refuse(why());
    },
    drained(clock, graceMs) {
      if (waiting.size === 0) return Promise.resolve();
      return new Promise((resolve) => {
        const timer = clock.setTimer(resolve, graceMs);
        whenEmpty = () => {
          timer.cancel();
          resolve();
        };
      });
    },
  };
}

function cancelled({ reason }: CancelToken): NimifyError {
  return reason === 'deadline'
    ? new NimifyError('DEADLINE_EXCEEDED', 'The deadline passed before an instance was free')
    : new NimifyError('CANCELLED', 'The request was cancelled before an instance was free');
}

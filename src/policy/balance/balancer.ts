import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { ErrorCode } from '../../base/errors/table.ts';
import type { Clock, Timer } from '../../base/util/clock.ts';
import type { RequestContext } from '../../model/context.ts';
import type { ModelState } from '../../model/contract.ts';
import type { Member, MembersModel } from '../../model/member.ts';
import type { InferRequest, InferResponse } from '../../model/request.ts';
import { createLine } from './line.ts';
import {
  createOutliers,
  type EjectionReason,
  type OutlierListener,
  type OutlierOptions,
} from './outliers.ts';

export interface BalancerDeps {
  readonly clock: Clock;
  readonly listener?: OutlierListener;
}

export interface BalancerOptions {
  /** `off`: none is ever ejected. Default: ejected as by the defaults of `OutlierOptions`. */
  readonly ejection?: OutlierOptions | 'off';
}

/** Of several that are as free, the same is asked so many times, which keeps its caches warm, and then another. */
const TURN_CALLS = 32;

/** What says that a member is unwell, whatever it was asked. */
const FAULTS: ReadonlySet<ErrorCode> = new Set([
  'ENGINE_CRASHED',
  'ENGINE_FAILED',
  'INTERNAL',
  'MODEL_NOT_READY',
  'STORE_UNAVAILABLE',
]);

/**
 * One Model over several that answer the same: a request goes to the member with the fewest in flight that has room and
 * does no worse than the others (`Outliers`). Where none has room it waits here, first come, first served, since it is not
 * known which will be free first; how many may wait, and for how long, is for whoever asks to say, by `context.cancel`.
 */
export function createBalancer(
  { clock, listener }: BalancerDeps,
  { ejection = {} }: BalancerOptions,
): (members: readonly [Member, ...Member[]]) => MembersModel {
  return (members) => {
    const [{ model }] = members;
    const revivals = new Set<Timer>();
    const outliers =
      ejection === 'off'
        ? undefined
        : createOutliers({ clock, listener: { ejected, restored } }, members.length, ejection);
    const panicBelow = (ejection === 'off' ? 0 : (ejection.panicShare ?? 0.5)) * members.length;
    const inFlight = new Uint32Array(members.length);
    /** Which members have a request, so that another may be asked besides. */
    const holders = new Map<InferRequest, number>();
    const line = createLine(
      () => pick() >= 0,
      (request, context) => ask(pick(), request, context),
    );
    const listeners = new Set<(state: ModelState) => void>();
    let asked = 0;
    let isClosing = false;
    let state = stateOf(members);

    for (const member of members) {
      member.onRoom(line.dispatch);
      member.model.onState(() => {
        if (!isClosing) setState(stateOf(members));
        if (state === 'failed') line.refuse(() => notReady(model.name));
        line.dispatch();
      });
    }

    /** Who waits is told when its time is over: nothing else may happen then. */
    function ejected(member: number, reason: EjectionReason, forMs: number): void {
      const timer = clock.setTimer(() => {
        revivals.delete(timer);
        outliers?.isEjected(member);
        line.dispatch();
      }, forMs);
      revivals.add(timer);
      listener?.ejected(member, reason, forMs);
    }

    function restored(member: number): void {
      listener?.restored(member);
    }

    function setState(next: ModelState): void {
      if (state === next) return;
      state = next;
      for (const hears of listeners) hears(next);
    }

    /** The member to ask; -1: none has room. */
    function pick(except = -1): number {
      const mayEject = outliers !== undefined && outliers.ejected > 0 && !isPanicking();
      const first = Math.floor(asked / TURN_CALLS) % members.length;
      let best = -1;
      for (let step = 0; step < members.length; step++) {
        const index = (first + step) % members.length;
        if (index === except || !members[index]!.hasRoom) continue;
        if (mayEject && outliers.isEjected(index)) continue;
        if (best < 0 || inFlight[index]! < inFlight[best]!) best = index;
      }
      return best;
    }

    function isPanicking(): boolean {
      let well = 0;
      for (let index = 0; index < members.length; index++) {
        if (members[index]!.model.state === 'ready' && !outliers!.isEjected(index)) well += 1;
      }
      return well < panicBelow;
    }

    function ask(index: number, request: InferRequest, context: RequestContext): Promise<InferResponse> {
      holders.set(request, index);
      return askMember(index, request, context);
    }

    function askMember(
      index: number,
      request: InferRequest,
      context: RequestContext,
    ): Promise<InferResponse> {
      const fromNs = clock.nowNs();
      asked += 1;
      inFlight[index]! += 1;
      return members[index]!.model.infer(request, context).then(
        (response) => {
          leave(index, request);
          outliers?.ended(index, clock.nowNs() - fromNs, false);
          line.dispatch();
          return response;
        },
        (failure: unknown) => {
          leave(index, request);
          const code = failure instanceof NimifyError ? failure.code : 'INTERNAL';
          // What the client did, or gave up, says nothing; a deadline that passed in a run does.
          if (FAULTS.has(code) || code === 'DEADLINE_EXCEEDED')
            outliers?.ended(index, clock.nowNs() - fromNs, true);
          line.dispatch();
          throw failure;
        },
      );
    }

    function leave(index: number, request: InferRequest): void {
      inFlight[index]! -= 1;
      if (holders.get(request) === index) holders.delete(request);
    }

    return {
      kind: 'balancer',
      name: model.name,
      version: model.version,
      ...(model.revision === undefined ? {} : { revision: model.revision }),
      signature: model.signature,
      get state() {
        return state;
      },
      onState(hears) {
        listeners.add(hears);
        return () => void listeners.delete(hears);
      },
      deterministic: model.deterministic,
      varies: model.varies,
      inner: members.map(({ model }) => model),
      infer(request, context) {
        if (isClosing || state === 'failed') return Promise.reject(notReady(model.name));
        const index = line.isEmpty ? pick() : -1;
        return index < 0 ? line.enter(request, context) : ask(index, request, context);
      },
      inferElsewhere(request, context) {
        const index = isClosing || !line.isEmpty ? -1 : pick(holders.get(request));
        return index < 0 ? undefined : askMember(index, request, context);
      },
      async close(how) {
        isClosing = true;
        setState('draining');
        await line.drained(clock, how.graceMs);
        line.refuse(() => notReady(model.name));
        for (const timer of revivals) timer.cancel();
        await Promise.all(members.map(({ model }) => model.close(how)));
      },
    };
  };
}

function stateOf(members: readonly Member[]): ModelState {
  const isAll = (state: ModelState) => members.every(({ model }) => model.state === state);
  return isAll('ready') ? 'ready' : isAll('failed') ? 'failed' : 'degraded';
}

function notReady(name: string): NimifyError {
  return new NimifyError('MODEL_NOT_READY', `Model '${name}' takes no requests now; try again shortly`);
}

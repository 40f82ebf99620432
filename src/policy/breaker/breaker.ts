import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { ErrorCode } from '../../base/errors/table.ts';
import type { Clock } from '../../base/util/clock.ts';
import { type RequestContext, SELF_TEST } from '../../model/context.ts';
import type { Model, Policy } from '../../model/contract.ts';
import type { InferRequest, InferResponse } from '../../model/request.ts';
import { wrapModel } from '../../model/wrap-model.ts';
import type { Circuit } from './circuit.ts';
import { FAULT, GOOD, SLOW } from './window.ts';

export interface BreakerDeps {
  readonly clock: Clock;
  /** The backend's: whoever uses the same one is given the same. */
  readonly circuit: Circuit;
  readonly instruments?: BreakerInstruments;
}

export interface BreakerInstruments {
  refused(): void;
}

export interface BreakerOptions {
  /** A call is slow that takes so long in the backend, our own queue left out. Default: none is. */
  readonly slowMs?: number;
}

/** The backend's fault, whatever was asked of it. A model that is being retired says MODEL_NOT_READY by itself. */
const FAULTS: ReadonlySet<ErrorCode> = new Set([
  'ENGINE_CRASHED',
  'ENGINE_FAILED',
  'INTERNAL',
  'MODEL_NOT_READY',
  'STORE_UNAVAILABLE',
]);

/** Part of the way that the mean time of an answer goes with each. */
const MEAN_STEP = 1 / 16;
/** Patience with a backend of which no answer is known. */
const UNKNOWN_NS = 1e9;

/**
 * Leaves a backend alone that fails, or is slow, too often (`Circuit` says when): its requests are refused with
 * CIRCUIT_OPEN at once, so that nobody waits for what will not come and the backend can recover.
 *
 * Faults of the caller do not count, nor does what our own queues refuse. A deadline that passes counts only where the
 * backend answered nobody meanwhile, and the time was at least twice what its answers take: under overload, and for
 * impatient clients, deadlines pass on a backend that is well. Unary and sequence requests alike.
 */
export function createBreaker(
  { clock, circuit, instruments }: BreakerDeps,
  options: BreakerOptions = {},
): Policy {
  const { slowMs = Number.POSITIVE_INFINITY } = options;
  const slowNs = slowMs * 1e6;
  let answeredAtNs = Number.NEGATIVE_INFINITY;
  let meanNs = 0;

  function infer(model: Model, request: InferRequest, context: RequestContext): Promise<InferResponse> {
    const permit = circuit.begin();
    if (permit === 0) return Promise.reject(refused(model, context));
    const fromNs = clock.nowNs();
    return model.infer(request, context).then(
      (response) => {
        const nowNs = clock.nowNs();
        const tookNs = nowNs - fromNs - context.phases.queueNs;
        answeredAtNs = nowNs;
        meanNs = meanNs === 0 ? tookNs : meanNs + (tookNs - meanNs) * MEAN_STEP;
        circuit.end(permit, tookNs >= slowNs ? SLOW : GOOD);
        return response;
      },
      (failure: unknown) => {
        circuit.end(permit, outcomeOf(failure, model, fromNs));
        throw failure;
      },
    );
  }

  function inferNow(model: Model, request: InferRequest, context: RequestContext): InferResponse | undefined {
    const permit = circuit.begin();
    if (permit === 0) throw refused(model, context);
    let response: InferResponse | undefined;
    try {
      response = model.inferNow!(request, context);
    } catch (failure) {
      circuit.end(permit, outcomeOf(failure, model, Number.POSITIVE_INFINITY));
      throw failure;
    }
    const outcome = response && (response.report.computeNs >= slowNs ? SLOW : GOOD);
    circuit.end(permit, outcome);
    return response;
  }

  function outcomeOf(failure: unknown, model: Model, fromNs: number): number | undefined {
    if (!(failure instanceof NimifyError)) return FAULT;
    if (failure.code === 'DEADLINE_EXCEEDED') return isHung(fromNs) ? FAULT | SLOW : undefined;
    if (!FAULTS.has(failure.code) || model.state === 'draining') return undefined;
    return FAULT;
  }

  function isHung(fromNs: number): boolean {
    const patienceNs = meanNs === 0 ? UNKNOWN_NS : 2 * meanNs;
    return answeredAtNs < fromNs && clock.nowNs() - fromNs >= patienceNs;
  }

  function refused({ name }: Model, { principal }: RequestContext): NimifyError {
    // Self-tests go on while it is open: they would make it look busy.
    if (principal !== SELF_TEST) instruments?.refused();
    const { state, isForced, retryAfterMs } = circuit.read();
    if (isForced) {
      return new NimifyError(
        'CIRCUIT_OPEN',
        `'${name}' is being left alone, because somebody opened its breaker`,
      );
    }
    const waitMs = Math.max(1, Math.ceil(retryAfterMs));
    const why =
      state === 'open' ? 'failed too often and is left alone' : 'failed too often and is being tried';
    return new NimifyError('CIRCUIT_OPEN', `'${name}' ${why}; try again in ${waitMs} ms`, {
      retryAfterMs: waitMs,
    });
  }

  return (model) => {
    model.onState((state) => {
      if (state === 'ready') circuit.hasten();
    });
    return wrapModel(model, {
      kind: 'breaker',
      infer: (request, context) => infer(model, request, context),
      inferNow: (request, context) => inferNow(model, request, context),
      turnAway: (context, isPlain) =>
        circuit.isRefusing ? refused(model, context) : model.turnAway?.(context, isPlain),
    });
  };
}

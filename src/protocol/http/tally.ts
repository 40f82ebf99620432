import type { NimifyError } from '../../base/errors/nimify-error.ts';
import type { RequestOutcome } from '../../base/telemetry/request-instruments.ts';
import { createPhases, type Phases } from '../../model/context.ts';
import type { ServedModel } from '../../registry/contract.ts';
import type { HttpDeps } from './deps.ts';
import { errorReply } from './http-error.ts';
import type { Reply } from './reply.ts';

/** One inference request as it is counted: noted on its way, told once at its end. */
export interface Tally {
  /** Template for the metrics, such as `/v2/models/{model}/infer`. */
  readonly route: string;
  readonly requestId: string;
  /** When the head had come, on the clock's monotonic time. */
  readonly arrivedAtNs: number;
  readonly phases: Phases;
  /** Empty until the model is known. */
  model: string;
  version: string;
  /** Deadline of a request that sets none, in milliseconds. */
  timeoutMs: number;
}

export function createTally(deps: HttpDeps, route: string, requestId: string): Tally {
  return {
    route,
    requestId,
    arrivedAtNs: deps.clock.nowNs(),
    phases: createPhases(),
    model: '',
    version: '',
    timeoutMs: deps.options.defaultTimeoutMs,
  };
}

/** From here on the request is counted as this model's. */
export function nameModel(tally: Tally, served: ServedModel): void {
  tally.model = served.name;
  tally.version = served.version;
  tally.timeoutMs = served.defaultTimeoutMs ?? tally.timeoutMs;
}

/** Called once for every request that `instruments.begin` was called for. */
export function countOutcome(deps: HttpDeps, tally: Tally, code: RequestOutcome['code']): void {
  const { model, version, route, arrivedAtNs, requestId } = tally;
  const { decodeNs, queueNs, computeNs, encodeNs } = tally.phases;
  const totalNs = deps.clock.nowNs() - arrivedAtNs;
  const outcome = { model, version, route, code, totalNs, decodeNs, queueNs, computeNs, encodeNs };
  deps.instruments.end(outcome);
  deps.accessLog.note(outcome, requestId);
}

/** The answer to a request that failed; what is a fault of ours goes to the log with its cause. */
export function failureReply(deps: HttpDeps, tally: Tally, error: NimifyError): Reply {
  logFault(deps, error, tally.requestId, tally.route);
  return errorReply(error, tally.requestId);
}

/** Faults of the client are counted, not logged. */
export function logFault(deps: HttpDeps, error: NimifyError, requestId: string, route: string): void {
  if (error.httpStatus !== 500 && error.code !== 'ENGINE_CRASHED') return;
  deps.log.error({ err: error, requestId, route, code: error.code }, 'request failed');
}

import type { NimifyError } from '../base/errors/nimify-error.ts';
import type { AccessLog } from '../base/telemetry/access-log.ts';
import type { Logger } from '../base/telemetry/log.ts';
import type { RequestInstruments, RequestOutcome } from '../base/telemetry/request-instruments.ts';
import type { Clock } from '../base/util/clock.ts';
import { createPhases, type Phases } from '../model/context.ts';
import type { ServedModel } from '../registry/contract.ts';

/** What counting a request takes, whatever protocol it came by. */
export interface TallyDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly accessLog: AccessLog;
  readonly instruments: RequestInstruments;
  readonly options: { readonly defaultTimeoutMs: number };
}

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

export function createTally(deps: TallyDeps, route: string, requestId: string): Tally {
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
export function countOutcome(deps: TallyDeps, tally: Tally, code: RequestOutcome['code']): void {
  const { model, version, route, arrivedAtNs, requestId } = tally;
  const { decodeNs, queueNs, computeNs, encodeNs } = tally.phases;
  const totalNs = deps.clock.nowNs() - arrivedAtNs;
  const outcome = { model, version, route, code, totalNs, decodeNs, queueNs, computeNs, encodeNs };
  deps.instruments.end(outcome);
  deps.accessLog.note(outcome, requestId);
}

/** Faults of the client are counted, not logged. */
export function logFault(deps: TallyDeps, error: NimifyError, requestId: string, route: string): void {
  if (error.httpStatus !== 500 && error.code !== 'ENGINE_CRASHED') return;
  deps.log.error({ err: error, requestId, route, code: error.code }, 'request failed');
}

import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { EventSink } from '../../base/telemetry/events.ts';
import type { Clock } from '../../base/util/clock.ts';
import type { RequestContext } from '../../model/context.ts';
import type { Model } from '../../model/contract.ts';
import type { InferRequest, InferResponse } from '../../model/request.ts';
import { wrapModel } from '../../model/wrap-model.ts';
import { type Case, createCases } from './cases.ts';
import { fingerprintOf, sketchOf } from './fingerprint.ts';

export interface QuarantineDeps {
  readonly clock: Clock;
  readonly events: EventSink;
  /** Called with each request that is refused. */
  readonly onRefused: () => void;
}

export interface QuarantineOptions {
  /** Where a request runs by itself, and not in one batch with others. Default: where all do. */
  readonly alone?: Model;
}

/** Time for which a content is refused after two crashes; each further one doubles it, up to the longest. */
const FIRST_REFUSAL_NS = 10e9;
const LONGEST_REFUSAL_NS = 3600e9;

/**
 * Keeps requests away from a model that end its instances. One in flight when an instance ended is suspected: the next of
 * the same content is tried by itself, while others of that content wait for what comes of it. Where an instance ends of
 * that too, the content is refused with INVALID_INPUT, at first for 10 s; after that one is tried again, and refused for
 * longer if it is still the same. An answer clears it, since instances end of other things as well.
 *
 * Nothing is computed of requests unless an instance has ended: then a sketch of each, and of those with the sketch of
 * a suspect the fingerprint.
 */
export function createQuarantine(
  { clock, events, onRefused }: QuarantineDeps,
  { alone }: QuarantineOptions = {},
): (model: Model) => Model {
  const cases = createCases(clock);

  function caseOf({ inputs }: InferRequest): Case | undefined {
    if (cases.size === 0 || !cases.mayHold(sketchOf(inputs))) return undefined;
    return cases.find(fingerprintOf(inputs));
  }

  async function infer(model: Model, request: InferRequest, context: RequestContext): Promise<InferResponse> {
    for (let known = caseOf(request); known !== undefined; known = caseOf(request)) {
      if (clock.nowNs() < known.refusedUntilNs) {
        onRefused();
        throw refused(known, clock.nowNs());
      }
      if (known.trial === undefined) return tryAlone(known, model, request, context);
      await known.trial;
      if (context.cancel.cancelled) break;
    }
    try {
      const response = await model.infer(request, context);
      clear(request);
      return response;
    } catch (failure) {
      if (hasEndedInstance(failure)) suspect(request);
      throw failure;
    }
  }

  async function tryAlone(
    known: Case,
    model: Model,
    request: InferRequest,
    context: RequestContext,
  ): Promise<InferResponse> {
    let onOutcome = () => {};
    known.trial = new Promise((resolve) => {
      onOutcome = resolve;
    });
    try {
      const response = await (alone ?? model).infer(request, context);
      cases.close(known);
      return response;
    } catch (failure) {
      if (hasEndedInstance(failure)) convict(known, model);
      throw failure;
    } finally {
      known.trial = undefined;
      onOutcome();
    }
  }

  /** Another of the same content may have been on its way. */
  function clear(request: InferRequest): void {
    const known = caseOf(request);
    if (known !== undefined && known.crashes < 2) cases.close(known);
  }

  function suspect({ inputs }: InferRequest): void {
    const fingerprint = fingerprintOf(inputs);
    const known = cases.find(fingerprint) ?? cases.open(fingerprint, sketchOf(inputs));
    known.crashes = Math.max(1, known.crashes);
  }

  function convict(known: Case, { name, version }: Model): void {
    known.crashes += 1;
    const forNs = Math.min(LONGEST_REFUSAL_NS, FIRST_REFUSAL_NS * 2 ** (known.crashes - 2));
    known.refusedUntilNs = clock.nowNs() + forNs;
    events.report({
      type: 'poison-request',
      ...{ model: name, version, part: known.fingerprint.slice(0, 16) },
      message: `${known.crashes} instances ended while a request of this content (SHA-256) was in them`,
      done: `refuses it for ${forNs / 1e9} s`,
      details: { fingerprint: known.fingerprint, crashes: known.crashes },
    });
  }

  return (model) =>
    wrapModel(model, {
      kind: 'quarantine',
      infer: (request, context) => infer(model, request, context),
      // No instance ends of what is answered at once: the server itself would.
      inferNow: (request, context) => model.inferNow?.(request, context),
      turnAway: (context, isPlain) => model.turnAway?.(context, isPlain),
    });
}

/** Its process ended while it ran, by itself or because the run took too long. */
function hasEndedInstance(failure: unknown): boolean {
  if (!(failure instanceof NimifyError)) return false;
  const { inFlight, runLimitMs } = failure.details ?? {};
  return inFlight !== undefined || runLimitMs !== undefined;
}

function refused({ crashes, refusedUntilNs, fingerprint }: Case, nowNs: number): NimifyError {
  const seconds = Math.ceil((refusedUntilNs - nowNs) / 1e9);
  return new NimifyError(
    'INVALID_INPUT',
    `inputs: the model's process ended ${crashes} times of a request of this content, which is refused for ${seconds} s more; send other values, or have the model mended`,
    { details: { where: 'inputs', fingerprint, crashes } },
  );
}

import type { ErrorCode } from '../errors/table.ts';
import type { Counter, Histogram, MetricsRegistry } from './metrics.ts';
import type { RequestInstruments, RequestOutcome } from './request-instruments.ts';

/** Upper bounds in seconds: from a tiny model's run to the default deadline. */
export const DURATION_BUCKETS: readonly number[] = [
  0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
  10, 30,
];

type Code = 'OK' | ErrorCode;

/** The series of one model, version and route, bound on their first request. */
interface Bound {
  readonly byCode: Map<Code, Counter>;
  readonly bindCode: (code: Code) => Counter;
  readonly total: Histogram;
  readonly decode: Histogram;
  readonly queue: Histogram;
  readonly compute: Histogram;
  readonly encode: Histogram;
}

type ByVersion = Map<string, Bound>;
type ByModel = Map<string, ByVersion>;

/**
 * Registers the request metrics and counts into them: four map lookups a request, no allocation after the
 * first of its kind. A request without a served model has the model name ``, which bounds the series.
 */
export function createRequestInstruments(metrics: MetricsRegistry): RequestInstruments {
  const requests = metrics.counter('nimify_requests', 'Requests answered, by outcome code.', [
    'model',
    'version',
    'route',
    'code',
  ]);
  const durations = metrics.histogram(
    'nimify_request_duration_seconds',
    'Time from the first byte of a request to its answer.',
    DURATION_BUCKETS,
    ['model', 'version', 'route'],
  );
  const phases = metrics.histogram(
    'nimify_request_phase_duration_seconds',
    "Time in each phase of a request's way.",
    DURATION_BUCKETS,
    ['model', 'version', 'phase'],
  );
  const inFlight = metrics
    .gauge('nimify_requests_in_flight', 'Requests begun and not answered yet.')
    .labels();

  const byRoute = new Map<string, ByModel>();

  function bind(model: string, version: string, route: string): Bound {
    return {
      byCode: new Map(),
      bindCode: (code) => requests.labels(model, version, route, code),
      total: durations.labels(model, version, route),
      decode: phases.labels(model, version, 'decode'),
      queue: phases.labels(model, version, 'queue'),
      compute: phases.labels(model, version, 'compute'),
      encode: phases.labels(model, version, 'encode'),
    };
  }

  function boundOf(model: string, version: string, route: string): Bound {
    const known = byRoute.get(route)?.get(model)?.get(version);
    if (known !== undefined) return known;
    const bound = bind(model, version, route);
    const byModel: ByModel = byRoute.get(route) ?? new Map();
    const byVersion: ByVersion = byModel.get(model) ?? new Map();
    byRoute.set(route, byModel.set(model, byVersion.set(version, bound)));
    return bound;
  }

  return {
    begin() {
      inFlight.add(1);
    },
    end(outcome) {
      inFlight.add(-1);
      const version = outcome.model === '' ? '' : outcome.version;
      const bound = boundOf(outcome.model, version, outcome.route);
      counterOf(bound, outcome.code).inc();
      bound.total.observe(outcome.totalNs / 1e9);
      observePhases(bound, outcome);
    },
  };
}

function counterOf(bound: Bound, code: Code): Counter {
  const known = bound.byCode.get(code);
  if (known !== undefined) return known;
  const counter = bound.bindCode(code);
  bound.byCode.set(code, counter);
  return counter;
}

/** A request that failed counts only in the phases it reached: zeros would pull the quantiles down. */
function observePhases(bound: Bound, outcome: RequestOutcome): void {
  const all = outcome.code === 'OK';
  if (all || outcome.decodeNs > 0) bound.decode.observe(outcome.decodeNs / 1e9);
  if (all || outcome.queueNs > 0) bound.queue.observe(outcome.queueNs / 1e9);
  if (all || outcome.computeNs > 0) bound.compute.observe(outcome.computeNs / 1e9);
  if (all || outcome.encodeNs > 0) bound.encode.observe(outcome.encodeNs / 1e9);
}

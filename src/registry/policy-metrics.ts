import type { Gauge, MetricsRegistry } from '../base/telemetry/metrics.ts';
import type { AdmissionInstruments } from '../policy/admission/admission.ts';
import type { EjectionReason } from '../policy/balance/outliers.ts';
import type { BreakerInstruments } from '../policy/breaker/breaker.ts';
import type { CircuitState } from '../policy/breaker/circuit.ts';
import type { FallbackInstruments } from '../policy/fallback/fallback.ts';
import type { HedgeInstruments } from '../policy/hedge/hedge.ts';
import type { RetryInstruments } from '../policy/retry/retry.ts';
import type { Registry } from './contract.ts';

/** What the policies of one version of a model count. */
export interface PolicyInstruments {
  readonly breaker: BreakerInstruments & { changed(state: CircuitState): void };
  readonly retry: RetryInstruments;
  readonly hedge: HedgeInstruments;
  readonly ejection: { ejected(reason: EjectionReason): void };
  readonly fallback: FallbackInstruments;
  readonly admission: AdmissionInstruments;
}

export type PolicyMetrics = (model: string, version: string) => PolicyInstruments;

const OF_MODEL = ['model', 'version'] as const;

/** Series appear when there is something to count: most of it never happens. */
export function createPolicyMetrics(metrics: MetricsRegistry): PolicyMetrics {
  const changes = metrics.counter(
    'nimify_breaker_changes',
    'Changes of a breaker, by the state that it came to.',
    [...OF_MODEL, 'state'],
  );
  const refused = metrics.counter(
    'nimify_breaker_refusals',
    'Requests that an open breaker refused.',
    OF_MODEL,
  );
  const retried = metrics.counter('nimify_retries', 'Requests that were tried again.', OF_MODEL);
  const unaffordable = metrics.counter(
    'nimify_retries_out_of_budget',
    'Requests that were not tried again, because the budget was spent.',
    OF_MODEL,
  );
  const hedges = metrics.counter(
    'nimify_hedges',
    'Second copies of runs that took longer than most.',
    OF_MODEL,
  );
  const hedgesWon = metrics.counter('nimify_hedges_won', 'Second copies that were answered first.', OF_MODEL);
  const ejections = metrics.counter(
    'nimify_ejections',
    'Instances that got nothing for a while, by the reason.',
    [...OF_MODEL, 'reason'],
  );
  const fallbacks = metrics.counter(
    'nimify_fallbacks',
    'Requests that somebody else answered, by the rung.',
    [...OF_MODEL, 'rung'],
  );
  const exhausted = metrics.counter(
    'nimify_fallbacks_exhausted',
    'Requests that no rung of the ladder answered either.',
    OF_MODEL,
  );
  const shed = metrics.counter(
    'nimify_admission_refusals',
    'Requests that were refused because too many were in flight, by their criticality.',
    [...OF_MODEL, 'criticality'],
  );

  return (model, version) => ({
    breaker: {
      changed: (state) => changes.labels(model, version, state).inc(),
      refused: () => refused.labels(model, version).inc(),
    },
    retry: {
      retried: () => retried.labels(model, version).inc(),
      outOfBudget: () => unaffordable.labels(model, version).inc(),
    },
    hedge: {
      sent: () => hedges.labels(model, version).inc(),
      won: () => hedgesWon.labels(model, version).inc(),
    },
    ejection: { ejected: (reason) => ejections.labels(model, version, reason).inc() },
    fallback: {
      answered: (rung) => fallbacks.labels(model, version, rung).inc(),
      exhausted: () => exhausted.labels(model, version).inc(),
    },
    admission: { refused: (criticality) => shed.labels(model, version, criticality).inc() },
  });
}

/** Tells the state of each served model's breaker. A model that is gone has 0 in every state. */
export function createBreakerMetric(metrics: MetricsRegistry, registry: Pick<Registry, 'list'>): void {
  const states = metrics.gauge('nimify_breaker_state', "1 for the state that the model's breaker is in.", [
    ...OF_MODEL,
    'state',
  ]);
  const shown = new Set<Gauge>();
  metrics.onCollect(() => {
    for (const gauge of shown) gauge.set(0);
    for (const { name, version, breaker } of registry.list()) {
      if (breaker === undefined) continue;
      const gauge = states.labels(name, version, breaker.state);
      gauge.set(1);
      shown.add(gauge);
    }
  });
}

import type { Gauge, MetricsRegistry } from '../../base/telemetry/metrics.ts';
import type { Readiness, Registry } from '../../registry/contract.ts';

const STATES: readonly Readiness[] = ['ready', 'degraded', 'unready'];

/** Tells the state of the server and of each model, as health routes do. A model that is gone has 0 in each state. */
export function createHealthMetrics(
  metrics: MetricsRegistry,
  registry: Pick<Registry, 'list' | 'health' | 'readinessOf'>,
): void {
  const server = metrics.gauge('nimify_server_state', '1 for the state that the server is in.', ['state']);
  const models = metrics.gauge('nimify_model_state', '1 for the state that the model is in.', [
    'model',
    'version',
    'state',
  ]);
  const shown = new Set<Gauge>();
  metrics.onCollect(() => {
    const { state: now } = registry.health();
    for (const state of STATES) server.labels(state).set(state === now ? 1 : 0);
    for (const gauge of shown) gauge.set(0);
    for (const served of registry.list()) {
      const gauge = models.labels(served.name, served.version, registry.readinessOf(served));
      gauge.set(1);
      shown.add(gauge);
    }
  });
}

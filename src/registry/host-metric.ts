import type { Gauge, MetricsRegistry } from '../base/telemetry/metrics.ts';
import type { Registry } from './contract.ts';

/** Tells where the runs of each served model happen. A model that is gone, or has moved, has 0 where it was. */
export function createHostMetric(metrics: MetricsRegistry, registry: Pick<Registry, 'list'>): void {
  const hosts = metrics.gauge('nimify_model_host', '1 for the engine host that the model runs on.', [
    'model',
    'version',
    'host',
  ]);
  const shown = new Set<Gauge>();
  metrics.onCollect(() => {
    for (const gauge of shown) gauge.set(0);
    for (const { name, version, notes } of registry.list()) {
      const host = notes.host?.split(':', 1)[0];
      if (host === undefined) continue;
      const gauge = hosts.labels(name, version, host);
      gauge.set(1);
      shown.add(gauge);
    }
  });
}

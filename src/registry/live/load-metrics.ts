import type { MetricsRegistry } from '../../base/telemetry/metrics.ts';

/** What is counted of loading. */
export interface LoadMetrics {
  loaded(model: string, version: string): void;
  failed(model: string, version: string): void;
  /** Does an older state of the model answer, because a newer one could not be loaded? */
  setOutdated(model: string, isOutdated: boolean): void;
}

export function createLoadMetrics(metrics: MetricsRegistry): LoadMetrics {
  const loads = metrics.counter('nimify_model_loads', 'Models loaded, or tried, by outcome.', [
    'model',
    'version',
    'outcome',
  ]);
  const outdated = metrics.gauge(
    'nimify_model_outdated',
    '1 where the model answers as it was, because what is there now could not be loaded.',
    ['model'],
  );
  return {
    loaded: (model, version) => loads.labels(model, version, 'loaded').inc(),
    failed: (model, version) => loads.labels(model, version, 'failed').inc(),
    setOutdated: (model, isOutdated) => outdated.labels(model).set(isOutdated ? 1 : 0),
  };
}

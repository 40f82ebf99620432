import { EVENT_LEVELS } from '../../base/telemetry/events.ts';
import type { MetricsRegistry } from '../../base/telemetry/metrics.ts';
import type { EventRecord, Notify } from './contract.ts';

/** Counts reports, and tells how many incidents are open. */
export function createEventMetrics(
  metrics: MetricsRegistry,
  open: () => readonly EventRecord[],
): Pick<Notify, 'recorded'> {
  const events = metrics.counter('nimify_events', 'What was reported, see docs/events.md.', [
    'type',
    'model',
  ]);
  const incidents = metrics.gauge('nimify_incidents', 'What is not resolved, by how far it has gone.', [
    'state',
  ]);
  metrics.onCollect(() => {
    const states = open().map(({ state }) => state);
    for (const state of EVENT_LEVELS) {
      if (state === 'resolved') continue;
      incidents.labels(state).set(states.filter((one) => one === state).length);
    }
  });
  return {
    recorded({ type, model = '', change }) {
      // Of these two nobody made a report.
      if (change !== 'lasted' && change !== 'resolved') events.labels(type, model).inc();
    },
  };
}

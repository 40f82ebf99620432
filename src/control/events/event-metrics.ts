import type { MetricsRegistry } from '../../base/telemetry/metrics.ts';
import { CONDITIONS, conditionOf } from './condition.ts';
import { type EventRecord, type Notify, OPEN_LEVELS } from './contract.ts';

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
    'condition',
    'state',
  ]);
  metrics.onCollect(() => {
    const all = open();
    for (const condition of CONDITIONS) {
      for (const state of OPEN_LEVELS) {
        const count = all.filter((one) => one.state === state && conditionOf(one.type) === condition).length;
        incidents.labels(condition, state).set(count);
      }
    }
  });
  return {
    recorded({ type, model = '', change }) {
      // Of these two nobody made a report.
      if (change !== 'lasted' && change !== 'resolved') events.labels(type, model).inc();
    },
  };
}

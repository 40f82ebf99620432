import type { Logger } from '../../base/telemetry/log.ts';
import type { MetricsRegistry } from '../../base/telemetry/metrics.ts';
import type { Clock } from '../../base/util/clock.ts';
import type { EventLog, EventOptions, Notify } from './contract.ts';
import type { EscalationDeps } from './escalation.ts';
import { createEventLog } from './event-log.ts';
import { createEventMetrics } from './event-metrics.ts';
import { createLogSink } from './log-sink.ts';

export interface OpenEventsDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
  readonly isServed: EscalationDeps['isServed'];
  /** Do several processes serve the same address? */
  readonly isOneOfMany: boolean;
}

/**
 * The events of a server. What sends them to others is loaded for those who want it.
 * @throws NimifyError CONFIG_INVALID where a file with a key cannot be read
 */
export async function openEvents(options: EventOptions, deps: OpenEventsDeps): Promise<EventLog> {
  const { clock, log, metrics, isServed, isOneOfMany } = deps;
  const sinks: Notify[] = [createLogSink(log)];
  const { webhooks = [], alertmanager } = options;
  const outward =
    webhooks.length === 0 && alertmanager === undefined
      ? undefined
      : await (await import('./open-outward.ts')).openOutward(options, {
          ...{ clock, log, metrics, isOneOfMany },
          report: (event) => events.report(event),
        });
  if (outward !== undefined) sinks.push(...outward.sinks);
  const events = createEventLog({
    ...{ clock, log, isServed, sinks },
    ...(outward === undefined ? {} : { endSinks: outward.close }),
  });
  sinks.push(createEventMetrics(metrics, events.open));
  return events;
}

import type { EventSink } from '../../base/telemetry/events.ts';
import type { MetricsRegistry } from '../../base/telemetry/metrics.ts';

/** The servers whose place this one has taken, because they died. */
export interface ServersBefore {
  /** How many there were; 0: this is the first. */
  readonly count: number;
  /** How the last of them ended. */
  readonly ended?: { readonly code: number | null; readonly signal: string | null };
}

/** Counts them, and reports the death of the last: it could not do so itself. */
export function tellRestart(
  before: ServersBefore | undefined,
  { metrics, events }: { readonly metrics: MetricsRegistry; readonly events: EventSink },
): void {
  if (before === undefined) return;
  const { count, ended } = before;
  metrics
    .counter('nimify_server_restarts', 'Servers that died and were replaced by this one or one before it.')
    .labels()
    .inc(count);
  if (count === 0) return;
  const how = ended?.signal ?? `exit code ${ended?.code ?? 'unknown'}`;
  events.report({
    type: 'server-restarted',
    message: `the server before this one died (${how}), with the requests that were in flight`,
    done: 'serves in its place, on the same ports and with the same configuration',
    details: { restarts: count, ended: how },
  });
}

import type { EventReport } from '../../base/telemetry/events.ts';
import type { Logger } from '../../base/telemetry/log.ts';
import type { Clock } from '../../base/util/clock.ts';
import { withoutUnset } from '../../base/util/without-unset.ts';
import type { EventLog, EventRecord, Incident, IncidentChange, Notify } from './contract.ts';
import { createEscalation, DEFAULT_RULES, type EscalationDeps, type EscalationRules } from './escalation.ts';
import { runbookOf } from './runbook.ts';
import { selectRecords, worstFirst } from './select-records.ts';

export interface EventLogDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly isServed: EscalationDeps['isServed'];
  /** Who is told. */
  readonly sinks: readonly Notify[];
  /** Sends what waits, within the time, and ends. Default: there is nothing to end. */
  readonly endSinks?: (graceMs: number) => Promise<void>;
}

/** Records that are kept; a crash loop that is reported each second is two of them. */
const MOST_RECORDS = 1000;

/** The events of a process: what was reported, what became of it, and whom it was told to. */
export function createEventLog(deps: EventLogDeps, rules: EscalationRules = DEFAULT_RULES): EventLog {
  const { clock, log, sinks, isServed } = deps;
  /** By their ids, oldest first. */
  const records = new Map<number, EventRecord>();
  const lastOf = new Map<string, EventRecord>();
  const escalation = createEscalation({ clock, isServed, onChange }, rules);
  let lastId = 0;
  let isDraining = false;

  function onChange(incident: Incident, change: IncidentChange, report: EventReport): void {
    lastId += 1;
    const record = toRecord(lastId, clock.wallMs(), incident, change, report);
    const before = lastOf.get(incident.key);
    // What is reported over and over has one line, with a count, and leaves room for what else there was.
    if (change === 'repeated' && before?.change === 'repeated') records.delete(before.id);
    records.set(record.id, record);
    if (records.size > MOST_RECORDS) records.delete(records.keys().next().value as number);
    if (incident.state === 'resolved') lastOf.delete(incident.key);
    else lastOf.set(incident.key, record);
    for (const sink of sinks) {
      sink.recorded?.(record);
      if (TOLD.has(change)) sink.changed?.(incident, record);
    }
  }

  return {
    report(event) {
      try {
        escalation.report(event);
      } catch (err) {
        // Whoever reports is in the midst of something worse.
        log.error({ err, event: event.type }, 'an event could not be told');
      }
    },
    list: (filter = {}) => selectRecords([...records.values()], filter),
    open: () => worstFirst([...lastOf.values()]),
    startDraining() {
      isDraining = true;
    },
    get isDraining() {
      return isDraining;
    },
    async close({ graceMs }) {
      isDraining = true;
      escalation.stop();
      await deps.endSinks?.(graceMs);
    },
  };
}

const TOLD: ReadonlySet<IncidentChange> = new Set<IncidentChange>(['opened', 'raised', 'lasted', 'resolved']);

function toRecord(
  id: number,
  wallMs: number,
  incident: Incident,
  change: IncidentChange,
  { type }: EventReport,
): EventRecord {
  const { state, model, version, part, message, done, details, count, sinceMs } = incident;
  return {
    id,
    process: process.pid,
    time: new Date(wallMs).toISOString(),
    type,
    state,
    change,
    ...withoutUnset({ model, version, part }),
    message,
    ...withoutUnset({ done }),
    count,
    since: new Date(sinceMs).toISOString(),
    ...withoutUnset({ details }),
    runbook: runbookOf(type),
  };
}

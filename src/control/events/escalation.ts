import {
  EVENT_TYPES,
  type EventMeaning,
  type EventReport,
  type OpenLevel,
} from '../../base/telemetry/events.ts';
import type { Clock, Timer } from '../../base/util/clock.ts';
import { conditionOf, hasEnd, highest, highestByItself, keyOf, lowest, rank } from './condition.ts';
import type { Incident, IncidentChange } from './contract.ts';

export interface EscalationRules {
  /** What is not over after so long is `degraded`, whatever the server does about it. */
  readonly degradedAfterMs: number;
  /** What has been `degraded` for so long goes to a person. */
  readonly pagingAfterMs: number;
  /** So many reports of one subject within `repeatsWithinMs` are `degraded`, however short each was ... */
  readonly repeatsToDegraded: number;
  /** ... and so many go to a person. */
  readonly repeatsToPaging: number;
  readonly repeatsWithinMs: number;
  /** What has ended is resolved when it stays away for so long; twice as long each time that it does not. */
  readonly calmMs: number;
  readonly longestCalmMs: number;
  /** What nothing ends is resolved when it stays away for so long. */
  readonly quietMs: number;
  /** Incidents that are followed at once. Of more, the one that was reported least recently is given up. */
  readonly mostOpen: number;
}

export const DEFAULT_RULES: EscalationRules = {
  degradedAfterMs: 60_000,
  pagingAfterMs: 600_000,
  repeatsToDegraded: 3,
  repeatsToPaging: 10,
  repeatsWithinMs: 600_000,
  calmMs: 60_000,
  longestCalmMs: 900_000,
  quietMs: 300_000,
  mostOpen: 1000,
};

export interface EscalationDeps {
  readonly clock: Clock;
  /** Called with everything that happens to an incident, in order. */
  readonly onChange: (incident: Incident, change: IncidentChange, report: EventReport) => void;
  /** A model that is gone needs nobody any more. */
  readonly isServed: (model: string, version: string | undefined) => boolean;
}

export interface Escalation {
  report(event: EventReport): void;
  /** Those that are not resolved. */
  open(): readonly Incident[];
  stop(): void;
}

interface Open {
  incident: Incident;
  /** The last report that began it or went on with it. */
  report: EventReport;
  /** Times of the latest reports, on the monotonic clock. */
  readonly reportsNs: number[];
  /** Whether an end was reported, and it is only waited for that it stays so. */
  hasEnded: boolean;
  /** How often it came again after it had ended. */
  returns: number;
  timer: Timer | undefined;
}

/**
 * Turns reports into incidents: one for each condition of each subject, with a state that only rises until it is
 * resolved, so that nobody is told the same twice, and what comes and goes is one incident and not many.
 */
export function createEscalation(
  { clock, onChange, isServed }: EscalationDeps,
  rules: EscalationRules = DEFAULT_RULES,
): Escalation {
  /** The least recently reported first. */
  const incidents = new Map<string, Open>();
  let isStopped = false;

  function set(open: Open, next: Partial<Incident>, change: IncidentChange, report = open.report): void {
    open.incident = { ...open.incident, ...next };
    onChange(open.incident, change, report);
  }

  function resolve(open: Open, why: string): void {
    open.timer?.cancel();
    incidents.delete(open.incident.key);
    set(open, { state: 'resolved', message: why, done: undefined }, 'resolved');
  }

  function wait(open: Open, delayMs: number, then: () => void): void {
    open.timer = clock.setTimer(then, delayMs);
  }

  /** What becomes of it if nothing more is heard. */
  function waitForNext(open: Open): void {
    const { condition, state } = open.incident;
    open.timer?.cancel();
    if (open.hasEnded) {
      const calmMs = Math.min(rules.calmMs * 2 ** open.returns, rules.longestCalmMs);
      wait(open, calmMs, () => resolve(open, `has stayed away for ${inWords(calmMs)}`));
    } else if (!hasEnd(condition)) {
      wait(open, rules.quietMs, () => resolve(open, `has not come again for ${inWords(rules.quietMs)}`));
    } else if (state !== 'paging') {
      const next = state === 'degraded' ? 'paging' : 'degraded';
      const afterMs = next === 'paging' ? rules.pagingAfterMs : rules.degradedAfterMs;
      if (rank(next) > rank(highestByItself(open.report.type))) return;
      wait(open, afterMs, () => lasted(open, next, afterMs));
    }
  }

  function lasted(open: Open, level: OpenLevel, forMs: number): void {
    const { model, version, message } = open.incident;
    if (model !== undefined && !isServed(model, version)) {
      resolve(open, 'the model is not served any more');
      return;
    }
    open.incident = { ...open.incident, state: level };
    const lasting = `${message} (and for ${inWords(forMs)} it has not ended)`;
    onChange({ ...open.incident, message: lasting }, 'lasted', open.report);
    waitForNext(open);
  }

  function begin(key: string, report: EventReport, level: OpenLevel): void {
    const [oldest] = incidents.values();
    if (incidents.size >= rules.mostOpen && oldest !== undefined) resolve(oldest, 'given up for newer ones');
    const open: Open = {
      incident: { ...toIncident(key, report), state: level },
      ...{ report, reportsNs: [clock.nowNs()], hasEnded: false, returns: 0, timer: undefined },
    };
    incidents.set(key, open);
    onChange(open.incident, 'opened', report);
    waitForNext(open);
  }

  function goOn(open: Open, report: EventReport, level: OpenLevel): void {
    const { key, state, condition, count } = open.incident;
    incidents.delete(key);
    incidents.set(key, open);
    const hasReturned = open.hasEnded;
    if (hasReturned) open.returns += 1;
    open.hasEnded = false;
    open.report = report;
    const next = highest(state as OpenLevel, level, byRepeats(open));
    const isRaised = next !== state;
    set(open, { ...told(report), state: next, count: count + 1 }, isRaised ? 'raised' : 'repeated');
    // What lasts is timed from when it reached its level, however often it is reported meanwhile.
    if (isRaised || hasReturned || !hasEnd(condition)) waitForNext(open);
  }

  function byRepeats({ reportsNs, report }: Open): OpenLevel {
    const nowNs = clock.nowNs();
    reportsNs.push(nowNs);
    const sinceNs = nowNs - rules.repeatsWithinMs * 1e6;
    while (reportsNs.length > rules.repeatsToPaging || reportsNs[0]! < sinceNs) reportsNs.shift();
    if (reportsNs.length < rules.repeatsToDegraded) return 'noticed';
    const level = reportsNs.length < rules.repeatsToPaging ? 'degraded' : 'paging';
    return lowest(level, highestByItself(report.type));
  }

  function end(open: Open | undefined, report: EventReport): void {
    if (open === undefined) {
      onChange({ ...toIncident(keyOf(report), report), state: 'resolved' }, 'noted', report);
    } else if (!open.hasEnded) {
      open.hasEnded = true;
      set(open, { message: report.message, done: report.done, details: report.details }, 'ended', report);
      waitForNext(open);
    }
  }

  function toIncident(key: string, report: EventReport): Omit<Incident, 'state'> {
    return { key, condition: conditionOf(report.type), ...told(report), count: 1, sinceMs: clock.wallMs() };
  }

  return {
    report(event) {
      if (isStopped) return;
      const meaning: EventMeaning = EVENT_TYPES[event.type];
      const key = keyOf(event);
      const open = incidents.get(key);
      if ('ends' in meaning) end(open, event);
      else if (open === undefined) begin(key, event, event.level ?? meaning.level);
      else goOn(open, event, event.level ?? meaning.level);
    },
    open: () => Array.from(incidents.values(), ({ incident }) => incident),
    stop() {
      isStopped = true;
      for (const { timer } of incidents.values()) timer?.cancel();
    },
  };
}

function told({ type, model, version, part, message, done, details }: EventReport) {
  return { type, model, version, part, message, done, details };
}

function inWords(ms: number): string {
  return ms < 60_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`;
}

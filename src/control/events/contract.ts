import type { WebhookTarget } from '../../base/config/event-targets.ts';
import type { EventLevel, EventSink, EventType, OpenLevel } from '../../base/telemetry/events.ts';

/** What a report made of the incident that it belongs to. */
export type IncidentChange =
  /** It began. */
  | 'opened'
  /** A report took it to a higher level: it said so, or came again and again. */
  | 'raised'
  /** It is at a higher level because it has not ended. */
  | 'lasted'
  /** It was reported once more, and is where it was. */
  | 'repeated'
  /** What caused it is over; it is resolved when it stays away. */
  | 'ended'
  | 'resolved'
  /** The end of something that was not open. */
  | 'noted';

/** Something that goes on with one subject, from its first report until it is resolved. */
export interface Incident {
  /** What makes reports belong together: condition, model, version and part. */
  readonly key: string;
  readonly condition: string;
  /** Of the last report that began it or went on with it. */
  readonly type: EventType;
  readonly model: string | undefined;
  readonly version: string | undefined;
  readonly part: string | undefined;
  readonly state: EventLevel;
  /** Reports so far. */
  readonly count: number;
  /** Wall-clock time of the first, in milliseconds since 1970. */
  readonly sinceMs: number;
  readonly message: string;
  readonly done: string | undefined;
  readonly details: Readonly<Record<string, string | number | boolean>> | undefined;
}

/** One entry of the list of what happened. Written as JSON by `GET /admin/events`, so that names are one word each. */
export interface EventRecord {
  /** Ascending within its process. */
  readonly id: number;
  /** Which process of the server wrote it, by the system's number. */
  readonly process: number;
  /** ISO 8601. */
  readonly time: string;
  readonly type: EventType;
  /** Of the incident, from now on. */
  readonly state: EventLevel;
  readonly change: IncidentChange;
  readonly model?: string;
  readonly version?: string;
  readonly part?: string;
  readonly message: string;
  /** What the server has done about it. */
  readonly done?: string;
  /** Reports of the incident so far. */
  readonly count: number;
  /** When the incident began. ISO 8601. */
  readonly since: string;
  readonly details?: Readonly<Record<string, string | number | boolean>>;
  /** What to look at and do. */
  readonly runbook: string;
}

/** Takes what happens; called in its order, must not throw and must not wait. */
export interface Notify {
  /** Everything that is written into the list. */
  readonly recorded?: (record: EventRecord) => void;
  /** An incident began, is at a higher level, or is resolved: what others are to be told. */
  readonly changed?: (incident: Incident, record: EventRecord) => void;
}

export interface EventFilter {
  readonly types?: readonly string[];
  readonly model?: string;
  readonly states?: readonly EventLevel[];
  /** Only those written after these, by process. */
  readonly after?: Readonly<Record<number, number>>;
  /** The latest so many. */
  readonly limit?: number;
}

/** The events of this process. */
export interface EventLog extends EventSink {
  /** The latest, oldest first. */
  list(filter?: EventFilter): readonly EventRecord[];
  /** The last record of each incident that is not resolved, the worst first. */
  open(): readonly EventRecord[];
  /** From now on who follows is to stop; what happens is still taken. */
  startDraining(): void;
  readonly isDraining: boolean;
  /** Takes nothing any more. What waits to be sent is given `graceMs`, then kept in the file of what could not be. */
  close(options: { readonly graceMs: number }): Promise<void>;
}

/** Who is told of events besides the log and the metrics. */
export interface EventOptions {
  readonly webhooks?: readonly WebhookTarget[];
  /** Address of an Alertmanager. */
  readonly alertmanager?: string;
  /** Gets what no webhook took. Default: `dead-letters.jsonl` in nimify's folder of the user's cache. */
  readonly deadLetterFile?: string;
}

export const OPEN_LEVELS: readonly OpenLevel[] = ['noticed', 'mitigating', 'degraded', 'paging'];

/**
 * What happens to a server that somebody may have to know of, once: what it means, how bad it is, and what ends it. The
 * escalation (src/control/events), the metrics, `nimify events`, the runbooks and their test come from this table.
 */
export const EVENT_TYPES = {
  'breaker-opened': {
    starts: 'breaker',
    level: 'mitigating',
    means: 'calls of a backend failed or were slow so often that it is left alone for a while',
  },
  'breaker-closed': { ends: 'breaker', means: 'the backend answers again and gets its calls' },
  'member-ejected': {
    starts: 'ejection',
    level: 'mitigating',
    risesTo: 'degraded',
    means: 'one of several instances or replicas did worse than the others and gets no requests for a while',
  },
  'member-restored': { ends: 'ejection', means: 'that member gets requests again' },
  'instance-crashed': {
    starts: 'instance',
    level: 'mitigating',
    means: 'an instance of a model died, with the runs that were in it',
  },
  'instance-stuck': {
    starts: 'instance',
    level: 'mitigating',
    means: 'an instance gave no sign of life, or a run went beyond its hard limit, and it was killed',
  },
  'instance-replaced': { ends: 'instance', means: 'another instance has taken its place' },
  'instance-recycled': {
    starts: 'recycling',
    level: 'noticed',
    risesTo: 'degraded',
    means: 'an instance took more memory than it may and was replaced while the others went on',
  },
  'crash-loop': {
    starts: 'crash-loop',
    level: 'degraded',
    means: 'an instance dies again and again; ever longer pauses lie between its starts',
  },
  'crash-loop-ended': { ends: 'crash-loop', means: 'the instance has stayed alive since' },
  'poison-request': {
    starts: 'poison',
    level: 'mitigating',
    risesTo: 'degraded',
    means: 'a request was in flight at several crashes of an engine and is refused from now on',
  },
  'model-degraded': {
    starts: 'model',
    level: 'degraded',
    means: 'a model cannot answer as it should: its self-test fails, or no instance of it lives',
  },
  'model-recovered': { ends: 'model', means: 'the model answers again' },
  'slo-burn': {
    starts: 'slo',
    level: 'degraded',
    risesTo: 'degraded',
    means: 'a model spends its error budget so fast that its objective will not be met',
  },
  'slo-recovered': { ends: 'slo', means: 'the budget is spent no faster than it may be' },
  'server-restarted': {
    starts: 'server',
    level: 'mitigating',
    means: 'the process of the server died and another one took its place',
  },
  'disk-full': {
    starts: 'disk',
    level: 'degraded',
    means: 'a file could not be written, because no space is left or none may be used',
  },
  'disk-recovered': { ends: 'disk', means: 'that file can be written again' },
  'cache-disabled': {
    starts: 'cache',
    level: 'degraded',
    risesTo: 'degraded',
    means: 'a cache is left out, because it failed; answers are computed instead',
  },
  'cache-enabled': { ends: 'cache', means: 'the cache is used again' },
  'config-refused': {
    starts: 'config',
    level: 'degraded',
    risesTo: 'degraded',
    means: 'a configuration that was to be reloaded is wrong; the one before holds',
  },
  'config-reloaded': { ends: 'config', means: 'a changed configuration holds from now on' },
} as const satisfies Readonly<Record<string, EventMeaning>>;

/**
 * How far something has gone. `noticed`: it is known; `mitigating`: the server does something about it; `degraded`: users
 * get less than they should; `paging`: a person has to look; `resolved`: it is over.
 */
export const EVENT_LEVELS = ['noticed', 'mitigating', 'degraded', 'paging', 'resolved'] as const;
export type EventLevel = (typeof EVENT_LEVELS)[number];
export type OpenLevel = Exclude<EventLevel, 'resolved'>;

export type EventMeaning =
  | {
      /** The condition that it begins, or goes on with. One that nothing ends is over when it stays away. */
      readonly starts: string;
      /** Where it begins; it rises from there where it lasts or comes again. */
      readonly level: OpenLevel;
      /** The highest level to which it rises by itself. Default `paging`. */
      readonly risesTo?: OpenLevel;
      readonly means: string;
    }
  | { readonly ends: string; readonly means: string };

export type EventType = keyof typeof EVENT_TYPES;

/** As the part of the server tells it that sees it happen. */
export interface EventReport {
  readonly type: EventType;
  /** The model that it happened to. Absent: the server as a whole. */
  readonly model?: string;
  readonly version?: string;
  /**
   * Which part of the model or server, where there are several, such as an instance's number, a backend's address or a
   * file. Together with model and version it is the subject: what ends something names the same one as what began it.
   */
  readonly part?: string;
  /** What happened, in a sentence, with the figures that tell how bad it is. Nothing that a request holds. */
  readonly message: string;
  /** What the server has done about it, such as `restarts it in 400 ms`. */
  readonly done?: string;
  /** The level to begin with where it is not that of the type. A higher one than before is taken at once. */
  readonly level?: OpenLevel;
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

/**
 * Where events go. Injected into whatever may notice something; `report` never throws, never waits, and is not meant for
 * what happens with every request: report a state that has changed, not each failure.
 */
export interface EventSink {
  report(event: EventReport): void;
}

/** Drops them: for tests, tools, and where nobody listens. */
export const NO_EVENTS: EventSink = { report() {} };

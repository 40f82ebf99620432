import type { EventFilter, EventRecord } from '../control/events/contract.ts';
import type { SloCounts } from '../control/slo/contract.ts';
import type { IndexEntry, LoadRequest } from '../registry/live/contract.ts';
import type { ModelStatistics } from '../registry/statistics.ts';
import type { BreakerAction, BreakerStatus } from './breakers.ts';
import type { LogSettings } from './log-settings.ts';

/** What was counted of one version of a model, in one process or in all. */
export interface CountedModel {
  readonly served: { readonly name: string; readonly version: string };
  readonly statistics: ModelStatistics;
}

/** What the processes that serve the same address are asked, and what each answers. */
export interface Questions {
  readonly metrics: Asked<Record<never, never>, string>;
  readonly statistics: Asked<
    { readonly model?: string | undefined; readonly version?: string | undefined },
    readonly CountedModel[]
  >;
  readonly index: Asked<Record<never, never>, readonly IndexEntry[]>;
  readonly load: Asked<{ readonly model: string; readonly request: LoadRequest }, void>;
  readonly unload: Asked<{ readonly model: string; readonly unloadDependents?: boolean }, void>;
  readonly logSettings: Asked<LogChanges, LogSettings>;
  readonly events: Asked<EventFilter, readonly EventRecord[]>;
  readonly openIncidents: Asked<Record<never, never>, readonly EventRecord[]>;
  readonly slo: Asked<Record<never, never>, readonly SloCounts[]>;
  readonly breaker: Asked<{ readonly model: string; readonly version: string | undefined }, BreakerStatus>;
  readonly changeBreaker: Asked<
    { readonly model: string; readonly version: string | undefined; readonly action: BreakerAction },
    BreakerStatus
  >;
}

export type LogChanges = Readonly<Record<string, string | number | boolean>>;

interface Asked<Question, Answer> {
  readonly question: Question;
  readonly answer: Answer;
}

export type Topic = keyof Questions;
export type QuestionOf<T extends Topic> = Questions[T]['question'];
export type AnswerOf<T extends Topic> = Questions[T]['answer'];

/** What changes a process instead of telling of it: one after the other, in the same order in each. */
export const CHANGES: ReadonlySet<Topic> = new Set<Topic>(['load', 'unload', 'logSettings', 'changeBreaker']);

/** Answers for one process. */
export type Answering = <T extends Topic>(
  topic: T,
  question: QuestionOf<T>,
) => AnswerOf<T> | Promise<AnswerOf<T>>;

/** The processes that serve the same address, this one among them. */
export interface Peers {
  /** From now on questions to this process are answered so. */
  answerWith(answer: Answering): void;
  /**
   * The answers of all, this one's first. Who does not answer soon is left out, unless it is a change that takes time.
   * @throws NimifyError what this process refused; of a change, what any of them did
   */
  ask<T extends Topic>(topic: T, question: QuestionOf<T>): Promise<readonly AnswerOf<T>[]>;
}

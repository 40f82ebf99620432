import type { OpenLevel } from '../../base/telemetry/events.ts';
import type { RequestOutcome } from '../../base/telemetry/request-instruments.ts';

export type ObjectiveName = 'availability' | 'latency';

export interface Counted {
  readonly good: number;
  readonly bad: number;
}

/** What one process counted for one objective of one model. */
export interface SloCounts {
  readonly model: string;
  readonly objective: ObjectiveName;
  readonly target: number;
  /** Of the latency objective. */
  readonly thresholdMs?: number;
  /** Wall-clock time from which on it was counted, in milliseconds since 1970. */
  readonly sinceMs: number;
  /** Of each window of the burn rates, by its name, such as `5m`. */
  readonly windows: Readonly<Record<string, Counted>>;
  /** Of the time that the objective holds for. */
  readonly period: Counted;
  /** Since the model's first request. */
  readonly total: Counted;
  /** Undefined: the budget is spent no faster than it may be. */
  readonly burns: OpenLevel | undefined;
}

export interface SloLedger {
  /** Called once for every request, when it has been answered: some additions, no allocation. */
  count(outcome: RequestOutcome): void;
  read(): readonly SloCounts[];
  stop(): void;
}

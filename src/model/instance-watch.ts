/**
 * Why an instance is replaced: it died by itself; it gave no sign of life; a run went beyond its limit; it took more memory
 * than it may; or than it should, and was replaced without harm to any run.
 */
export type InstanceEnd = 'crashed' | 'stuck' | 'overdue' | 'memory' | 'recycled';

/** Is told what becomes of one instance of a model. */
export interface InstanceWatch {
  /**
   * @param inARow how many ended so without one that lived for long between them, this one included
   * @param retryAfterMs time until another is started
   */
  ended(end: InstanceEnd, told: { readonly inARow: number; readonly retryAfterMs: number }): void;
  /** Another has taken its place. */
  replaced(): void;
  /** The one that took its place has lived for long. */
  steady(): void;
}

/** Begins to watch one more instance. */
export type WatchInstance = () => InstanceWatch;

export const UNWATCHED: InstanceWatch = { ended() {}, replaced() {}, steady() {} };

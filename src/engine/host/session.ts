import type { Datatype } from '../../base/tensor/datatype.ts';
import type { CancelToken } from '../../base/util/cancel.ts';
import type { GraphOptimization, ProviderChoice, RunRequest, RunResult } from '../../model/engine.ts';

/**
 * One loaded copy of a model: on this thread, on another, or in a process. Runs that overlap are done one after the
 * other, or as a program announces.
 */
export interface HostSession {
  readonly info: SessionInfo;
  /** False while a crashed thread or process is being replaced. */
  readonly available: boolean;
  /** Failed attempts to replace it since the last that worked. */
  readonly failedRestarts: number;
  /** The one listener that hears of every change of `available` and `failedRestarts`. */
  onChange(listener: () => void): void;
  /**
   * Hands the inputs over before it returns its promise, but for inline and native runs and those in a process: they
   * read them until the promise settles.
   * @param cancel ends the run, where the host can do that
   * @throws NimifyError INVALID_INPUT, ENGINE_FAILED, ENGINE_CRASHED, DEADLINE_EXCEEDED (past the run limit), CANCELLED
   */
  run(request: RunRequest, cancel?: CancelToken): Promise<RunResult>;
  /**
   * The same run, done before it returns: it blocks this thread for so long. There only where it can be done so.
   * @throws NimifyError INVALID_INPUT, ENGINE_FAILED
   */
  runNow?(request: RunRequest): RunResult;
  /** Waits for running calls, then frees. Ends no run that is in flight. */
  close(): Promise<void>;
  /** Ends what runs, at once; there only where nothing else is harmed by it. Its runs fail with ENGINE_CRASHED. */
  kill?(): void;
}

/** What the loaded session itself says: the engine's truth, where the file's reader may be wrong. */
export interface SessionInfo {
  readonly inputs: readonly SessionValue[];
  readonly outputs: readonly SessionValue[];
  /** Growth of the process's resident memory during the load; 0 where it cannot be told. */
  readonly memoryBytes: number;
}

export interface SessionValue {
  readonly name: string;
  /** Undefined: no tensor, or of a type that cannot be passed. */
  readonly datatype: Datatype | undefined;
}

/** What a session is opened from; passes between threads as it is. */
export interface SessionSource {
  readonly path: string;
  readonly intraOpThreads: number;
  /** The runtime's execution providers, the preferred first. Default: its own. */
  readonly providers?: readonly ProviderChoice[];
  /** Default false. */
  readonly memoryArena?: boolean;
  /** Default `all`. */
  readonly graphOptimization?: GraphOptimization;
}

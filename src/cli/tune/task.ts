import type { Objective } from '../../base/config/objective.ts';
import type { ModelSettings, Target } from '../../base/config/options.ts';
import type { Machine } from '../../engine/host/thread-plan.ts';
import type { TunedModel } from './find-model.ts';

/** The command line. */
export interface TuneFlags {
  readonly objective?: Objective;
  readonly target?: Target;
  readonly output: string;
  readonly dryRun?: boolean;
  /** Of a folder or repository. */
  readonly model?: string;
  /** Milliseconds. */
  readonly budget: number;
  readonly batchSizes?: readonly number[];
  readonly instances?: number;
  readonly threads?: number;
  readonly python?: string;
  readonly json?: boolean;
}

/** What is searched for, and where. */
export interface TuneTask {
  /** As it was given. */
  readonly path: string;
  readonly model: TunedModel;
  readonly machine: Machine;
  readonly objective: Objective | undefined;
  readonly target: ModelSettings['target'];
}

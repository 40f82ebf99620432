import type { Target } from '../base/config/options.ts';
import type { BufferOwner } from '../base/tensor/owner.ts';
import type { Tensor } from '../base/tensor/tensor.ts';
import type { CancelToken } from '../base/util/cancel.ts';
import type { Artifact } from './artifact.ts';
import type { Signature } from './signature.ts';

/**
 * On the main thread, on threads with a session each, on libuv's threads over one session, or in processes.
 */
export type HostKind = 'inline' | 'thread' | 'native' | 'process';

/** An execution provider by its name, or with its own options beside it. */
export type ProviderChoice = string | { readonly name: string; readonly [option: string]: unknown };

export interface EngineOptions {
  /** Where runs happen; `auto` measures and picks. Default `auto`. */
  readonly host: HostKind | 'auto';
  /** Sessions that run side by side. Default: what the cores allow. */
  readonly instances?: number;
  /** Threads inside one run. Default: what the cores allow. */
  readonly intraOpThreads?: number;
  /** Overrides the inferred and proven batch axis. Default `auto`. */
  readonly batchAxis: 'auto' | 'force' | 'none';
  /** Inputs that the model is known to answer: what `auto` measures. Default: some are made up. */
  readonly exampleInputs?: readonly Tensor[];
  /**
   * Largest resident size of a process that holds the model, the runtime's own 60-100 MB included, in load and in
   * runs. `auto` means `process` then; all others load once in a process to see. Default: no limit.
   */
  readonly memoryLimitBytes?: number;
  /** A run that takes longer is ended with its process; `auto` means `process` then. Default: no limit. */
  readonly runLimitMs?: number;
  /**
   * Resident size at which another process takes the place of one that holds the model, which first ends its runs; `auto`
   * means `process` then. Default: any is well.
   */
  readonly recycleBytes?: number;
  /** ONNX Runtime's execution providers, the preferred first. Default: `cpu`. */
  readonly providers?: readonly ProviderChoice[];
  /** Whether ONNX Runtime keeps the memory of a run for the next one. Default false: it would never give it back. */
  readonly memoryArena?: boolean;
  /** How much ONNX Runtime rewrites the graph at load. Default `all`. */
  readonly graphOptimization?: GraphOptimization;
  /** Interpreter of Python functions. Default: that of the active environment, else `python3`. */
  readonly python?: string;
  /** What an earlier load on this machine measured. Default: it is measured. */
  readonly usualRun?: UsualRun;
  /** How much is measured at load. Default: nothing beyond what has to be known. */
  readonly tune?: TuneEffort;
  /** What a measured choice is to be good at. Default `balanced`. */
  readonly target?: Target;
}

/** A run of the request that a model is measured with. */
export interface UsualRun {
  readonly ns: number;
  /** Of its inputs. */
  readonly sizeBytes: number;
  /** That the session took, as far as it could be told. */
  readonly memoryBytes: number;
}

/** ONNX Runtime's levels; each includes the ones after it. */
export type GraphOptimization = 'all' | 'extended' | 'basic' | 'disabled';

/**
 * `off`: instances and threads go by rule; `auto`: a few ways are compared for a fraction of a second, and what runs
 * of several rows take is measured; `full`: every way, for seconds.
 */
export type TuneEffort = 'auto' | 'off' | 'full';

export interface Engine {
  readonly name: string;
  /** Its own and that of its runtime. Absent: it may change at any time, so nothing that was measured is kept. */
  readonly version?: () => string;
  /**
   * Loads the artifact and makes it ready to run.
   * @throws NimifyError UNSUPPORTED, INVALID_INPUT (not a model), ENGINE_FAILED
   */
  load(artifact: Artifact, options: EngineOptions): Promise<EngineInstance>;
}

/** One place for one run. Held from `tryAcquire` to `release`. */
export interface Lease {
  readonly slot: number;
  release(): void;
}

export interface RunRequest {
  /** In the order of the signature; optional inputs may be missing. */
  readonly inputs: readonly Tensor[];
  /** Names, in the order in which they are wanted. */
  readonly outputs: readonly string[];
  /**
   * Owner of the inputs' buffers: the host may transfer them where there is only one holder when `run` is called,
   * and does so before `run` returns its promise. Else they must stay as they are until the promise settles.
   */
  readonly owner: BufferOwner;
}

export interface RunResult {
  readonly outputs: readonly Tensor[];
  readonly computeNs: number;
  /** Owner of the outputs' buffers, with one holder; where nobody releases it they are collected. Default: they belong to nobody else. */
  readonly owner?: BufferOwner;
}

/** `degraded`: some slots are being replaced after a crash; `failed`: all are, and the last try failed. */
export type InstanceHealth = 'ready' | 'degraded' | 'failed';

/** A loaded artifact: `slots` runs may be in flight at once. */
export interface EngineInstance {
  readonly host: HostKind;
  /** Why this host, for the log and the model's metadata. */
  readonly hostReason: string;
  readonly signature: Signature;
  readonly slots: number;
  /** As it was measured to pick the host, where that needs no second look. */
  readonly usualRun?: UsualRun;
  /** Memory that the load took, as far as it can be told. */
  readonly memoryBytes: number;
  readonly health: InstanceHealth;
  /** A free slot, or undefined: then `onFree` will call. */
  tryAcquire(): Lease | undefined;
  /** The one listener that hears of every slot that becomes free, and of every change of `health`. */
  onFree(listener: () => void): void;
  /** @throws NimifyError ENGINE_FAILED, INVALID_INPUT (the graph refuses these values), CANCELLED */
  run(lease: Lease, request: RunRequest, cancel: CancelToken): Promise<RunResult>;
  /**
   * The same run on a free slot, done before it returns. Undefined: no slot is free, or the run would hold up the
   * event loop for too long; nothing has happened then. Absent where no run can be done so.
   * @throws NimifyError ENGINE_FAILED, INVALID_INPUT
   */
  runNow?(request: RunRequest): RunResult | undefined;
  /** Waits for running work, then frees everything. Never ends a run that is in flight. */
  drain(): Promise<void>;
  /** Ends runs that are in flight, where that can be done without harm to the rest: in processes. Then `drain`. */
  kill?(): void;
  /**
   * One instance for each session, instead of this one, which is not to be used any more: who balances over them sees
   * how each does. Absent where there is one session, or runs do not stay with the session of their slot.
   */
  split?(): readonly EnginePart[];
}

/** One session of several. */
export interface EnginePart extends EngineInstance {
  /** Would `tryAcquire` give a slot? */
  readonly hasRoom: boolean;
}

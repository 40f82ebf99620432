import type { BufferOwner } from '../base/tensor/owner.ts';
import type { Tensor } from '../base/tensor/tensor.ts';
import type { CancelToken } from '../base/util/cancel.ts';
import type { Artifact } from './artifact.ts';
import type { Signature } from './signature.ts';

export type HostKind = 'inline' | 'thread';

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
}

export interface Engine {
  readonly name: string;
  accepts(artifact: Artifact): boolean;
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
  /** Memory that the load took, as far as it can be told. */
  readonly memoryBytes: number;
  readonly health: InstanceHealth;
  /** A free slot, or undefined: then `onFree` will call. */
  tryAcquire(): Lease | undefined;
  /** The one listener that hears of every slot that becomes free, and of every change of `health`. */
  onFree(listener: () => void): void;
  /** @throws NimifyError ENGINE_FAILED, INVALID_INPUT (the graph refuses these values), CANCELLED */
  run(lease: Lease, request: RunRequest, cancel: CancelToken): Promise<RunResult>;
  /** Waits for running work, then frees everything. Never ends a run that is in flight. */
  drain(): Promise<void>;
}

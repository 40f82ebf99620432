import type { SloObjectives } from '../base/config/service-level.ts';
import type { NimifyError } from '../base/errors/nimify-error.ts';
import type { Tensor } from '../base/tensor/tensor.ts';
import type { ModelConfig } from '../base/triton/model-config.ts';
import type { Artifact } from '../model/artifact.ts';
import type { RequestContext } from '../model/context.ts';
import type { Model } from '../model/contract.ts';
import type { InferRequest, InferResponse } from '../model/request.ts';
import type { Circuit } from '../policy/breaker/circuit.ts';
import type { ModelStatistics } from './statistics.ts';

/** A request that is known to work, and what the model answered to it in its self-test. */
export interface ServedExample {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** `file`: somebody wrote it beside the model; `generated`: made from the signature. */
  readonly origin: 'file' | 'generated';
}

/** One version of one model, with all that a protocol may want to tell about it. */
export interface ServedModel {
  readonly name: string;
  readonly version: string;
  /** The assembled stack; its `signature` and `state` are the truth. */
  readonly model: Model;
  readonly artifact: Artifact;
  /** Engine and file format as OIP's metadata names them, such as `onnxruntime_onnx`. */
  readonly platform: string;
  /** Class names by output name. Empty where neither the model nor a file beside it has any. */
  readonly labels: Readonly<Record<string, readonly string[]>>;
  readonly example: ServedExample | undefined;
  /** No request could be made up for a self-test: it is not ready until it has answered one. */
  readonly isUntested?: boolean;
  /** Where runs happen and why, batch axis and why: for the log, metadata and `/v1/manifest`. */
  readonly notes: Readonly<Record<string, string>>;
  /** Wall-clock time at which it had been loaded, in milliseconds since 1970. */
  readonly loadedAtMs: number;
  /** Deadline of a request that sets none, in milliseconds. Default: the server's. */
  readonly defaultTimeoutMs?: number;
  /** What its requests are to keep to. Absent: nothing. */
  readonly slo?: SloObjectives;
  /** Whether it is being left alone; absent where it has no breaker. */
  readonly breaker?: Pick<Circuit, 'state' | 'read' | 'open' | 'close' | 'reset'>;
  /** What its `config.pbtxt`, or the request that loaded it, says; absent where there is none. */
  readonly config?: ModelConfig;
}

/** `degraded`: it answers, but not as it should, or not for all models. */
export type Readiness = 'ready' | 'degraded' | 'unready';

export interface ServerHealth {
  readonly state: Readiness;
  /** Names of the models that do not answer, or not as they should. */
  readonly impaired: readonly string[];
}

export interface ServedStatistics {
  readonly served: ServedModel;
  readonly statistics: ModelStatistics;
}

/** Names, versions, lifecycle, and what is served now. */
export interface Registry {
  /** Every version of every model, by name and then version. */
  list(): readonly ServedModel[];
  /**
   * The version asked for; where none is, the newest that takes requests, or the newest where none does.
   * @throws NimifyError MODEL_NOT_FOUND; MODEL_NOT_READY where it is still loading
   */
  find(name: string, version?: string): ServedModel;
  /** True when every model that is required is ready, the process is not draining and has memory for requests. */
  isReady(): boolean;
  /** The same, and whether all is as it should be. */
  health(): ServerHealth;
  /**
   * True when the model takes requests and has answered one: its self-test, or, failing that, a client's. False while
   * its self-test fails.
   */
  isModelReady(served: ServedModel): boolean;
  /** The same, and whether all its instances are there. */
  readinessOf(served: ServedModel): Readiness;
  /**
   * What was counted of every version of every model, of every version of one, or of one version, by name and then
   * version: each request that `infer` or `inferNow` asked the model. A model that is replaced starts anew.
   * @throws NimifyError as `find`
   */
  statistics(name?: string, version?: string): readonly ServedStatistics[];
  /**
   * Checks the request against the signature, then lets the model answer.
   * @throws NimifyError
   */
  infer(request: InferRequest, context: RequestContext): Promise<InferResponse>;
  /**
   * The same, where the model can answer before this returns: it spares a small run several turns of the event loop.
   * Undefined: not at once, call `infer`; nothing has happened then. The caller releases the request's owner in
   * either case, and the response's when it has written the answer out.
   * @throws NimifyError what `infer` would reject with
   */
  inferNow(request: InferRequest, context: RequestContext): InferResponse | undefined;
  /**
   * Why the model refuses any request of this context now, to be asked before one is decoded: see `Model.turnAway`.
   * Undefined: it might let one in. The request is checked against nothing.
   * @throws NimifyError as `find`
   */
  turnAway(
    asked: Pick<InferRequest, 'model' | 'version'>,
    context: RequestContext,
    isPlain: () => boolean,
  ): NimifyError | undefined;
  /** From now on `isReady` is false; what runs may finish. */
  startDraining(): void;
  close(options: { readonly graceMs: number }): Promise<void>;
}

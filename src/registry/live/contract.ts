/** `none`: what is there at the start; `poll`: what changes is taken up; `explicit`: what is asked for. */
export type ControlMode = 'none' | 'poll' | 'explicit';

/** One line of the repository's index, as Triton's extension has it. */
export interface IndexEntry {
  readonly name: string;
  /** Absent where no version of the model could be looked at. */
  readonly version?: string;
  readonly state: 'READY' | 'LOADING' | 'UNLOADING' | 'UNAVAILABLE';
  /** Why it is not served, or why what is served is older than what is there; mostly empty. */
  readonly reason: string;
}

export interface LoadRequest {
  /** A whole model configuration in JSON, instead of the one in the repository. */
  readonly config?: string;
  /**
   * Files to load instead of the repository's, by their names within the model's folder, such as `1/model.onnx`. They
   * want a `config` beside them. Nothing in the repository is changed.
   */
  readonly files?: ReadonlyMap<string, Uint8Array>;
}

/** What may be told of models, and asked for, while the server runs: the repository extension of each protocol. */
export interface ModelControl {
  readonly mode: ControlMode;
  /** By name and then version; in mode `explicit` also what could be loaded. */
  index(options?: { readonly readyOnly?: boolean }): Promise<readonly IndexEntry[]>;
  /**
   * Loads a model, or loads it anew where its files or the configuration changed. What was served of it so far answers
   * until then, and goes on where the new one fails.
   * @throws NimifyError UNSUPPORTED (another mode than `explicit`), INVALID_INPUT (no name of a model, a bad
   * configuration, files outside the model's folder), MODEL_NOT_FOUND, or what the model failed with
   */
  load(name: string, request?: LoadRequest): Promise<void>;
  /**
   * Serves a model no more; requests that are running are answered.
   * @param options `unloadDependents` is for ensembles, which this version has not: it changes nothing
   * @throws NimifyError UNSUPPORTED (another mode than `explicit`), MODEL_NOT_FOUND
   */
  unload(name: string, options?: { readonly unloadDependents?: boolean }): Promise<void>;
}

import type { Signature } from './signature.ts';

/** A model file (or folder) that was found and read, but not loaded. */
export interface Artifact {
  /** `onnx` or `ort`. */
  readonly format: string;
  /** Absolute path. */
  readonly path: string;
  readonly sizeBytes: number;
  /** SHA-256 over the file and its external data, hex: the model's revision. */
  readonly contentHash: string;
  readonly signature: Signature;
  /** Why dimension 0 is, or is not, taken for the batch axis by the signature alone. */
  readonly batchAxisReason: string;
  /** Rows of every batch where the file fixes them: runs may be filled up to as many if they are independent. */
  readonly fixedRows?: number;
  /** Inputs that index a table: the model accepts integers in [0, limit) there. Found in the graph. */
  readonly indexLimits: Readonly<Record<string, number>>;
  /** An operator that repeats as often as values say, so that one run tells nothing of the time of the next. */
  readonly loopOperator?: string;
  /** An operator in which some values of a request end the process that runs it. Found in the graph. */
  readonly crashOperator?: string;
  /** Parts that are served without, each with the reason: outputs that are no tensors. */
  readonly omitted: readonly OmittedPart[];
  readonly metadata: Readonly<Record<string, string>>;
  /** False where equal requests may get different answers, or nobody knows. Default true: a graph has no moods. */
  readonly deterministic?: boolean;
}

export interface OmittedPart {
  readonly kind: 'output' | 'input';
  readonly name: string;
  readonly reason: string;
}

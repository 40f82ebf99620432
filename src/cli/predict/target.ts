import type { Tensor } from '../../base/tensor/tensor.ts';
import type { TensorSpec } from '../../model/signature.ts';
import type { ImageHints } from '../image/image-settings.ts';

/** What `nimify predict` asks: a model on a server, or one loaded into this process. */
export interface PredictTarget {
  readonly inputs: readonly TensorSpec[];
  /** Class names by output; empty where there are none. */
  readonly labels: Readonly<Record<string, readonly string[]>>;
  /** What the model or a file beside it says about pictures. */
  readonly imageHints: readonly ImageHints[];
  infer(inputs: readonly Tensor[], outputs: readonly string[] | undefined): Promise<Prediction>;
  close(): Promise<void>;
}

export interface Prediction {
  readonly model: string;
  readonly version: string;
  readonly outputs: readonly Tensor[];
}

export interface TargetOptions {
  /** Name of the model; needed where a server serves several. */
  readonly model?: string;
  readonly timeoutMs?: number;
  /** Interpreter of a Python function; a server has its own. */
  readonly python?: string;
}

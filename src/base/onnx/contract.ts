import type { Datatype } from '../tensor/datatype.ts';
import type { ValueRisks } from './value-risks.ts';

/** What a model file says about itself, read without its weights. */
export interface ModelFile {
  readonly format: 'onnx' | 'ort';
  /** Absolute path. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly graphName: string;
  readonly description: string;
  readonly producer: { readonly name: string; readonly version: string };
  /** 0 where the file states none; then `problems` says so. */
  readonly irVersion: number;
  /** Imported operator sets; ONNX's own empty domain is shown as `ai.onnx`. */
  readonly opsets: readonly OperatorSet[];
  /** Inputs of the graph. Those with an initializer of the same name are `optional`. */
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly metadata: Readonly<Record<string, string>>;
  /**
   * Stored elements of all initializers and of the tensors of Constant nodes, subgraphs and function bodies
   * included; a sparse tensor counts the values it stores. Tensors in attributes of other operators (tree
   * ensembles, ConstantOfShape) are not counted.
   */
  readonly parameterCount: number;
  /** Distinct files of external data, as absolute paths in the model's folder. */
  readonly externalData: readonly ExternalFile[];
  /** `Conv` or `com.microsoft.Tokenizer` -> number of nodes, subgraphs and function bodies included. */
  readonly operators: Readonly<Record<string, number>>;
  /**
   * Graph input -> exclusive upper bound of its values, because they index a table in the file: they reach the
   * indices of a Gather (or a like operator) over an initializer or a constant through operators that only move
   * or copy values. Where several tables are reached, the smallest bound. Calls of the model's own functions
   * are not followed.
   */
  readonly indexLimits: Readonly<Record<string, number>>;
  /**
   * What values of a request can do to the engine. Where it cannot be told (subgraphs, the model's own functions, a
   * graph too large to be traced), the worst is assumed.
   */
  readonly valueRisks: ValueRisks;
  readonly problems: readonly Problem[];
}

export interface OperatorSet {
  readonly domain: string;
  readonly version: number;
}

export interface ExternalFile {
  readonly path: string;
  /** `undefined`: the file is missing. */
  readonly sizeBytes: number | undefined;
}

export interface Problem {
  /** `error`: the model cannot be served as it is. `warning`: it can, but for what the message says. */
  readonly severity: 'error' | 'warning';
  /** Path of the part, such as `outputs[1]` or `opsets`. */
  readonly where: string;
  readonly message: string;
  /** The next step, for a person. */
  readonly fix: string;
}

export type ValueKind = 'tensor' | 'sparse_tensor' | 'sequence' | 'map' | 'optional' | 'unknown';

export interface ValueInfo {
  readonly name: string;
  readonly kind: ValueKind;
  /** Readable: `float32`, `seq(map(int64,float32))`, `bfloat16`, `int4`. */
  readonly type: string;
  /** The protocol's datatype where there is one; only for kind `tensor`. */
  readonly datatype: Datatype | undefined;
  /** Dimensions, -1 where dynamic; `undefined` where the rank is unknown. */
  readonly shape: readonly number[] | undefined;
  /** Symbolic names by dimension; empty where the rank is unknown. */
  readonly dimensionNames: readonly (string | undefined)[];
  /** The graph gives this input a default: an initializer of the same name. */
  readonly optional: boolean;
}

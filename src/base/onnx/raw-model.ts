import type { OperatorSet, ValueInfo, ValueKind } from './contract.ts';
import { elementTypeOf } from './element-type.ts';
import type { GraphFacts } from './graph-facts.ts';

/** What a reader of either format finds in a file, before anything is judged. */
export interface RawModel {
  readonly format: 'onnx' | 'ort';
  /** Version of the ORT format, such as `6`; `undefined` for ONNX, whose version is the IR version. */
  readonly ortVersion: string | undefined;
  readonly graphName: string;
  readonly description: string;
  readonly producerName: string;
  readonly producerVersion: string;
  readonly irVersion: number | undefined;
  readonly opsets: readonly OperatorSet[];
  readonly inputs: readonly RawValue[];
  readonly outputs: readonly RawValue[];
  /** Names of the main graph's initializers. */
  readonly initializers: ReadonlySet<string>;
  readonly metadata: ReadonlyMap<string, string>;
  /** Operators that the model defines itself, by `operatorName`. */
  readonly functions: ReadonlySet<string>;
  readonly facts: GraphFacts;
  readonly indexLimits: ReadonlyMap<string, number>;
}

export interface RawValue {
  readonly name: string;
  readonly type: RawType;
}

/** A dimension: a size, a symbolic name, or neither. */
export type RawDimension = number | string | undefined;

export interface RawType {
  readonly kind: ValueKind;
  /** Readable, as in `ValueInfo.type`. */
  readonly text: string;
  /** Number in TensorProto.DataType; only for tensors. */
  readonly elementType: number;
  /** `undefined` where the rank is unknown. */
  readonly dims: readonly RawDimension[] | undefined;
}

export const UNKNOWN_TYPE: RawType = { kind: 'unknown', text: 'unknown', elementType: 0, dims: undefined };

export function tensorType(
  kind: 'tensor' | 'sparse_tensor',
  elementType: number,
  dims: RawType['dims'],
): RawType {
  const { name } = elementTypeOf(elementType);
  return { kind, text: kind === 'tensor' ? name : `sparse(${name})`, elementType, dims };
}

/** A type made of others: `seq(float32)`, `map(int64,float32)`, `optional(float32)`. */
export function compositeType(kind: 'sequence' | 'map' | 'optional', parts: readonly string[]): RawType {
  const label = kind === 'sequence' ? 'seq' : kind;
  return { kind, text: `${label}(${parts.join(',')})`, elementType: 0, dims: undefined };
}

export function toValueInfo(value: RawValue, optional: boolean): ValueInfo {
  const { kind, text, elementType, dims } = value.type;
  return {
    name: value.name,
    kind,
    type: text,
    datatype: kind === 'tensor' ? elementTypeOf(elementType).datatype : undefined,
    // Exporters of old wrote -1 for "unknown"; the engine reads it so, too.
    shape: dims?.map((dim) => (typeof dim === 'number' && dim >= 0 ? dim : -1)),
    dimensionNames: dims?.map((dim) => (typeof dim === 'string' && dim !== '' ? dim : undefined)) ?? [],
    optional,
  };
}

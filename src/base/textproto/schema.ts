/**
 * Types of messages as tables, so that one table gives the reader of the text format, the reader and the writer of
 * JSON, and the TypeScript type of the values.
 */

/** A value of one field. Numbers of 64 bits are plain numbers: what is beyond 2^53 is refused when read. */
export type FieldType<V = unknown> =
  | ScalarType<V>
  | EnumType<V & string>
  | MessageType<MessageFields>
  | MapType<V>;

export type ScalarName = 'string' | 'bool' | 'int32' | 'int64' | 'uint32' | 'uint64' | 'float' | 'double';

export interface ScalarType<V> {
  readonly kind: 'scalar';
  readonly name: ScalarName;
  /** Never there: it carries the TypeScript type. */
  readonly value?: V;
}

export interface EnumType<V extends string> {
  readonly kind: 'enum';
  readonly name: string;
  /** Names by their numbers. */
  readonly values: readonly V[];
}

export interface MessageType<F extends MessageFields> {
  readonly kind: 'message';
  readonly name: string;
  readonly fields: F;
}

/** In text: entries `{ key: ... value: ... }`. Keys of every type are kept as text. */
export interface MapType<V> {
  readonly kind: 'map';
  readonly key: ScalarType<string> | ScalarType<number>;
  readonly entry: FieldType<V>;
  readonly value?: V;
}

export interface Field<T extends FieldType = FieldType, R extends boolean = boolean> {
  readonly type: T;
  readonly repeated: R;
  /** Of the fields that share a word here, a message holds one at most. */
  readonly oneof?: string;
}

export interface MessageFields {
  readonly [name: string]: Field;
}

/** What a field of a type holds. */
export type ValueOf<T> =
  T extends MessageType<infer F>
    ? MessageOf<F>
    : T extends EnumType<infer V>
      ? V
      : T extends { readonly kind: 'map'; readonly entry: infer E }
        ? ReadonlyMap<string, ValueOf<E>>
        : T extends ScalarType<infer V>
          ? V
          : never;

/** A message: only what was set is there. */
export type MessageOf<F> = {
  readonly [K in keyof F]?: F[K] extends Field<infer T, infer R>
    ? R extends true
      ? readonly ValueOf<T>[]
      : ValueOf<T>
    : never;
};

/** A message whose type is not known to the compiler. */
export type AnyMessage = Readonly<Record<string, unknown>>;

export const STRING: ScalarType<string> = { kind: 'scalar', name: 'string' };
export const BOOL: ScalarType<boolean> = { kind: 'scalar', name: 'bool' };
export const INT32: ScalarType<number> = { kind: 'scalar', name: 'int32' };
export const INT64: ScalarType<number> = { kind: 'scalar', name: 'int64' };
export const UINT32: ScalarType<number> = { kind: 'scalar', name: 'uint32' };
export const UINT64: ScalarType<number> = { kind: 'scalar', name: 'uint64' };
export const FLOAT: ScalarType<number> = { kind: 'scalar', name: 'float' };
export const DOUBLE: ScalarType<number> = { kind: 'scalar', name: 'double' };

export function enumType<const V extends string>(name: string, values: readonly V[]): EnumType<V> {
  return { kind: 'enum', name, values };
}

export function messageType<const F extends MessageFields>(name: string, fields: F): MessageType<F> {
  return { kind: 'message', name, fields };
}

export function one<T extends FieldType>(type: T): Field<T, false> {
  return { type, repeated: false };
}

export function many<T extends FieldType>(type: T): Field<T, true> {
  return { type, repeated: true };
}

export function choice<T extends FieldType>(oneof: string, type: T): Field<T, false> {
  return { type, repeated: false, oneof };
}

export function mapOf<T extends FieldType>(
  key: MapType<unknown>['key'],
  entry: T,
): Field<{ readonly kind: 'map'; readonly key: MapType<unknown>['key']; readonly entry: T }, false> {
  return { type: { kind: 'map', key, entry }, repeated: false };
}

/** The range of an integer type; what JavaScript cannot count exactly is left out. */
export function integerRange(name: ScalarName): readonly [min: number, max: number] | undefined {
  switch (name) {
    case 'int32':
      return [-(2 ** 31), 2 ** 31 - 1];
    case 'uint32':
      return [0, 2 ** 32 - 1];
    case 'int64':
      return [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
    case 'uint64':
      return [0, Number.MAX_SAFE_INTEGER];
    default:
      return undefined;
  }
}

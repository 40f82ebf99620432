import { type Leaf, leavesOf, type OptionTree, type Values } from './option.ts';
import { BY_DEFAULT, type Origin } from './origin.ts';

/** A value that one source gives for one option. */
export interface Given {
  readonly value: unknown;
  readonly origin: Origin;
}

/** What one source gives, by the options' paths. */
export type Layer = ReadonlyMap<string, Given>;

export interface Resolved<T> {
  readonly values: Values<T>;
  /** By the options' paths; every option has one. */
  readonly origins: ReadonlyMap<string, Origin>;
}

/** The value of every option of a tree: the first layer's that has one, else the default. */
export function resolveLayers<T extends OptionTree>(tree: T, layers: readonly Layer[]): Resolved<T> {
  const values: Record<string, unknown> = {};
  const origins = new Map<string, Origin>();
  for (const leaf of leavesOf(tree)) {
    const given = layers.find((layer) => layer.has(leaf.path))?.get(leaf.path);
    put(values, leaf, given === undefined ? leaf.option.default : given.value);
    origins.set(leaf.path, given?.origin ?? BY_DEFAULT);
  }
  return { values: values as Values<T>, origins };
}

function put(values: Record<string, unknown>, { keys }: Leaf, value: unknown): void {
  let group = values;
  for (const key of keys.slice(0, -1)) {
    group[key] ??= {};
    group = group[key] as Record<string, unknown>;
  }
  group[keys.at(-1)!] = value;
}

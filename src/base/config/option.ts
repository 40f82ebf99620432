import type { Kind } from './kind.ts';

/** A variable that sets an option. `words`: what its own words mean, where they are not the option's. */
export type EnvName<V> =
  | string
  | { readonly name: string; readonly words: Readonly<Record<string, V>>; readonly expected: string };

/** One setting. `D` is undefined where there is no fixed default: `doc` says then what happens. */
export interface Option<V, D extends V | undefined = V | undefined> {
  readonly kind: Kind<V>;
  readonly default: D;
  /** The strongest first. */
  readonly env: readonly EnvName<V>[];
  /** Such as `--http-port`. */
  readonly flag?: string;
  /** For a flag that takes no value: what it sets, and its own line of help. */
  readonly flagSets?: { readonly value: V; readonly doc: string };
  /** A value as nimify.yaml may hold it, where there is no default that shows one. */
  readonly example?: string;
  /** Effect, default where it is no fixed one, danger. One paragraph. */
  readonly doc: string;
}

/** Options by their keys in nimify.yaml. */
export interface OptionTree {
  readonly [key: string]: Option<unknown> | OptionTree;
}

/** The values of a tree of options. */
export type Values<T> = {
  readonly [K in keyof T]: T[K] extends Option<infer V, infer D> ? V | D : Values<T[K]>;
};

/** Gives an option its types: the value's from the kind, and whether it may be missing from the default. */
export function option<V, const D extends V | undefined>(
  kind: Kind<V>,
  rest: Omit<Option<NoInfer<V>, D>, 'kind'>,
): Option<V, Widened<V, D>> {
  return { kind, ...rest } as Option<V, Widened<V, D>>;
}

/** The default's own literal type would say that the value can be nothing else. */
type Widened<V, D> = undefined extends D ? (D extends undefined ? undefined : V | undefined) : V;

export function isOption(node: Option<unknown> | OptionTree): node is Option<unknown> {
  return typeof node.doc === 'string';
}

export interface Leaf {
  /** Keys with points between them, such as `server.httpPort`. */
  readonly path: string;
  readonly keys: readonly string[];
  readonly option: Option<unknown>;
}

/** Every option of a tree, in the order in which they are written. */
export function leavesOf(tree: OptionTree, above: readonly string[] = []): readonly Leaf[] {
  return Object.entries(tree).flatMap(([key, node]) => {
    const keys = [...above, key];
    return isOption(node) ? [{ path: keys.join('.'), keys, option: node }] : leavesOf(node, keys);
  });
}

export function envNameOf(env: EnvName<unknown>): string {
  return typeof env === 'string' ? env : env.name;
}

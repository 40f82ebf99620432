/**
 * Which graph inputs index a table. A lookup (Gather and its like) over a table of n rows bounds its indices by
 * n; the bound is carried from there against the direction of the graph, through operators that only move or
 * copy values, to the inputs. Bounds are carried in rising order and each value is visited once, so the
 * smallest wins and the work is linear in the graph, in whatever order its nodes stand.
 */

/** A graph's values by name. A subgraph sees those of the graphs around it. */
export interface Scope {
  readonly parent: Scope | undefined;
  readonly values: Map<string, Value>;
}

export type Value =
  | { readonly kind: 'given' }
  | { readonly kind: 'table'; readonly dims: readonly number[] }
  | Derived;

/** A value that an operator made from `from`, keeping the values, or the shape, or both. */
export interface Derived {
  readonly kind: 'derived';
  readonly from: readonly string[];
  readonly keepsValues: boolean;
  readonly keepsShape: boolean;
}

export interface GraphNode {
  readonly domain: string;
  readonly opType: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** The integer attributes `axis`, `fmod`, `gather_axis` and `to`, where present. */
  readonly integers: ReadonlyMap<string, number>;
  /** Element type of the tensor in an attribute, as a Constant has one; a number in TensorProto.DataType. */
  readonly tensorType?: number;
}

interface LookupPair {
  readonly data: string;
  readonly indices: string;
  readonly axis: number;
}

export interface Lookup extends LookupPair {
  readonly scope: Scope;
}

/** What a node means for index bounds; `undefined` for most operators. */
export interface IndexRole {
  readonly lookup?: readonly LookupPair[];
  readonly origin?: Derived;
}

const BOOL = 9;
/** Operators whose outputs hold values of their first input only. */
const MOVES_FIRST = new Set([
  ...['Identity', 'Cast', 'CastLike', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Transpose', 'Slice'],
  ...[
    'Expand',
    'Tile',
    'Split',
    'Gather',
    'GatherElements',
    'GatherND',
    'Compress',
    'ReduceMax',
    'ReduceMin',
  ],
]);
const KEEPS_SHAPE = new Set(['Identity', 'Cast', 'CastLike', 'DequantizeLinear', 'QuantizeLinear']);

/** How far a table may stand behind operators that keep its shape. */
const MAX_TABLE_STEPS = 8;

export function indexRole(node: GraphNode): IndexRole | undefined {
  if (node.domain === 'com.microsoft') return microsoftRole(node);
  if (node.domain !== '' && node.domain !== 'ai.onnx') return undefined;
  const origin = originOf(node);
  if (node.opType !== 'Gather' && node.opType !== 'GatherElements') {
    return origin === undefined ? undefined : { origin };
  }
  const lookup = pairs(node, [[0, 1]], node.integers.get('axis') ?? 0);
  return origin === undefined ? { lookup } : { lookup, origin };
}

/** The inputs of a standard operator that only moves or copies values: its outputs hold values of these alone. */
export function movedValues(node: GraphNode): readonly string[] | undefined {
  const origin = originOf(node);
  return origin?.keepsValues === true ? origin.from : undefined;
}

function originOf(node: GraphNode): Derived | undefined {
  const { opType, inputs } = node;
  if (opType === 'Concat') return { kind: 'derived', from: inputs, keepsValues: true, keepsShape: false };
  if (opType === 'Where') {
    return { kind: 'derived', from: inputs.slice(1, 3), keepsValues: true, keepsShape: false };
  }
  const keepsValues = MOVES_FIRST.has(opType) && !(opType === 'Cast' && node.integers.get('to') === BOOL);
  const keepsShape = KEEPS_SHAPE.has(opType);
  if (!keepsValues && !keepsShape) return undefined;
  return { kind: 'derived', from: inputs.slice(0, 1), keepsValues, keepsShape };
}

/** Lookups of ONNX Runtime's own operators (docs/ContribOperators.md). */
function microsoftRole(node: GraphNode): IndexRole | undefined {
  if (node.opType === 'GatherBlockQuantized') {
    return { lookup: pairs(node, [[0, 1]], node.integers.get('gather_axis') ?? 0) };
  }
  if (node.opType === 'EmbedLayerNormalization') {
    // Word and segment embeddings; positions count from 0 by themselves.
    const tables = [
      [2, 0],
      [4, 1],
    ] as const;
    return { lookup: pairs(node, tables, 0) };
  }
  return undefined;
}

/** Pairs of input numbers, table first, for those inputs that the node has. */
function pairs(node: GraphNode, numbers: readonly (readonly [number, number])[], axis: number): LookupPair[] {
  const found: LookupPair[] = [];
  for (const [table, index] of numbers) {
    const data = node.inputs[table];
    const indices = node.inputs[index];
    if (data && indices) found.push({ data, indices, axis });
  }
  return found;
}

/** @returns input of `main` -> exclusive upper bound */
export function findIndexLimits(main: Scope, lookups: readonly Lookup[]): Map<string, number> {
  const bounds: { readonly scope: Scope; readonly name: string; readonly limit: number }[] = [];
  for (const { scope, data, indices, axis } of lookups) {
    const dims = tableDims(scope, data);
    const limit = dims?.[axis < 0 ? axis + dims.length : axis];
    if (limit !== undefined && limit > 0) bounds.push({ scope, name: indices, limit });
  }
  bounds.sort((a, b) => a.limit - b.limit);

  const limits = new Map<string, number>();
  const visited = new Set<Value>();
  for (const { scope, name, limit } of bounds) {
    const waiting = [{ scope, name }];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const home = homeOf(next.scope, next.name);
      const value = home?.values.get(next.name);
      if (home === undefined || value === undefined || visited.has(value)) continue;
      visited.add(value);
      if (value.kind === 'given' && home === main) limits.set(next.name, limit);
      if (value.kind !== 'derived' || !value.keepsValues) continue;
      for (const from of value.from) waiting.push({ scope: home, name: from });
    }
  }
  return limits;
}

function tableDims(scope: Scope, name: string): readonly number[] | undefined {
  let place = scope;
  let wanted = name;
  for (let step = 0; step < MAX_TABLE_STEPS; step += 1) {
    const home = homeOf(place, wanted);
    const value = home?.values.get(wanted);
    if (home === undefined || value === undefined || value.kind === 'given') return undefined;
    if (value.kind === 'table') return value.dims;
    const from = value.from[0];
    if (!value.keepsShape || from === undefined) return undefined;
    place = home;
    wanted = from;
  }
  return undefined;
}

/** The scope that defines a name, seen from `scope`. */
export function homeOf(scope: Scope, name: string): Scope | undefined {
  let at: Scope | undefined = scope;
  while (at !== undefined && !at.values.has(name)) at = at.parent;
  return at;
}

/**
 * Where values come from: from the file alone, from a request's sizes, or from its values. Nodes are noted as they are
 * read and judged when something is asked, since a file may hold its tables behind its nodes; each is judged once and
 * without recursion, so that the work is linear in the graph, whatever it looks like.
 */
import { type GraphNode, homeOf, movedValues, type Scope } from './index-limits.ts';

/** What is known of a value before the model runs. */
export interface ValueOrigin {
  /** Number in TensorProto.DataType; 0: not known. */
  readonly elementType: number;
  /** May be any number of its type, by the values of a request. What counts, compares or measures never is. */
  readonly isFree: boolean;
  /** The same for every request, sizes and all. */
  readonly isConstant: boolean;
}

export interface ValueOrigins {
  addInput(scope: Scope, name: string, elementType: number): void;
  addTable(scope: Scope, name: string, elementType: number): void;
  addNode(scope: Scope, node: GraphNode): void;
  /** A name that nothing defines, or whose maker was not noted, may be anything. */
  find(scope: Scope, name: string): ValueOrigin;
}

/** Numbers in TensorProto.DataType. */
const FLOAT = 1;
const INT64 = 7;
const BOOL = 9;

/** Beyond this nothing more is noted, and what is asked about the rest may be anything: no model is refused for it. */
const MAX_NOTED_BYTES = 64 * 2 ** 20;

const ANYTHING: ValueOrigin = { elementType: 0, isFree: true, isConstant: false };
const STORED: ValueOrigin = { elementType: 0, isFree: false, isConstant: true };

/** Outputs are indexes or counts, or true and false, whatever the inputs' values. */
const COUNTS = new Set(['Shape', 'Size', 'ArgMax', 'ArgMin', 'NonZero', 'NonMaxSuppression']);
const DECIDES = new Set([
  ...['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'IsNaN', 'IsInf'],
  ...['And', 'Or', 'Xor', 'Not'],
]);
/** Further outputs are indexes or counts. */
const COUNTS_BESIDE = new Set(['TopK', 'MaxPool', 'Unique']);
/** Outputs that no value of a request can choose. */
const UNCHOSEN = new Set(['Constant', 'ConstantOfShape', 'EyeLike', 'RandomNormal', 'RandomUniform']);
/** What their graphs answer is not followed. */
const CONTROLS = new Set(['If', 'Loop', 'Scan']);
/** All inputs are of one type, and so is the output: any input that is known tells it. */
const ALIKE = new Set([
  ...[
    'Add',
    'Sub',
    'Mul',
    'Div',
    'Mod',
    'Max',
    'Min',
    'Sum',
    'Mean',
    'MatMul',
    'Gemm',
    'Concat',
    'Range',
    'Clip',
  ],
  ...[
    'Conv',
    'ConvTranspose',
    'PRelu',
    'Einsum',
    'LayerNormalization',
    'BatchNormalization',
    'LSTM',
    'GRU',
    'RNN',
  ],
]);
/** Output types that do not follow from the inputs'. */
const OWN_TYPE: ReadonlyMap<string, number> = new Map(
  Object.entries({
    ...{ DequantizeLinear: 1, QuantizeLinear: 2, DynamicQuantizeLinear: 2, MatMulInteger: 6, ConvInteger: 6 },
    // Only for floats of whatever width, none of which matters here.
    ...{
      Sqrt: 1,
      Exp: 1,
      Log: 1,
      Erf: 1,
      Sigmoid: 1,
      Tanh: 1,
      Softmax: 1,
      LogSoftmax: 1,
      Sin: 1,
      Cos: 1,
      Gelu: 1,
    },
    ...{ Reciprocal: 1, Softplus: 1, Floor: 1, Ceil: 1, Round: 1, AveragePool: 1, GlobalAveragePool: 1 },
  }),
);

interface Maker {
  readonly scope: Scope;
  readonly node: GraphNode;
}

/** What a node makes: its first output, and the others. */
interface Made {
  readonly first: ValueOrigin;
  readonly others: ValueOrigin;
}

interface Output {
  readonly maker: Maker;
  readonly isFirst: boolean;
}

export function createValueOrigins(): ValueOrigins {
  const outputs = new Map<Scope, Map<string, Output>>();
  const types = new Map<Scope, Map<string, number>>();
  const judged = new Map<Maker, Made>();
  let notedBytes = 0;

  function noteType(scope: Scope, name: string, elementType: number): void {
    put(types, scope, name, elementType);
  }

  function outputOf(scope: Scope, name: string): Output | undefined {
    for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) {
      const output = outputs.get(at)?.get(name);
      if (output !== undefined) return output;
      if (at.values.has(name)) return undefined;
    }
    return undefined;
  }

  /** @returns undefined while the node that makes it is not judged */
  function look(scope: Scope, name: string): ValueOrigin | undefined {
    const output = outputOf(scope, name);
    if (output !== undefined) {
      const made = judged.get(output.maker);
      return output.isFirst ? made?.first : made?.others;
    }
    const home = homeOf(scope, name);
    if (home === undefined) return ANYTHING;
    const elementType = types.get(home)?.get(name) ?? 0;
    return { ...(home.values.get(name)?.kind === 'table' ? STORED : ANYTHING), elementType };
  }

  function judge({ scope, node }: Maker): Made {
    return judgeNode(node, (name) => look(scope, name) ?? ANYTHING);
  }

  function judgeAll(start: Maker): void {
    const waiting = [start];
    const opened = new Set<Maker>();
    for (let next = waiting.at(-1); next !== undefined; next = waiting.at(-1)) {
      if (!judged.has(next) && !opened.has(next)) {
        opened.add(next);
        for (const name of next.node.inputs) {
          const maker = outputOf(next.scope, name)?.maker;
          if (maker !== undefined && !judged.has(maker) && !opened.has(maker)) waiting.push(maker);
        }
        if (waiting.at(-1) !== next) continue;
      }
      if (!judged.has(next)) judged.set(next, judge(next));
      waiting.pop();
    }
  }

  return {
    addInput: noteType,
    addTable: noteType,
    addNode(scope, node) {
      const texts = [...node.inputs, ...node.outputs];
      notedBytes += texts.reduce((bytes, text) => bytes + 2 * text.length + 50, 200);
      if (notedBytes > MAX_NOTED_BYTES) return;
      const maker: Maker = { scope, node };
      for (const [at, name] of node.outputs.entries())
        put(outputs, scope, name, { maker, isFirst: at === 0 });
    },
    find(scope, name) {
      const output = outputOf(scope, name);
      if (output !== undefined) judgeAll(output.maker);
      return look(scope, name) ?? ANYTHING;
    },
  };
}

function judgeNode(node: GraphNode, find: (name: string) => ValueOrigin): Made {
  const { opType, domain } = node;
  const isStandard = domain === '' || domain === 'ai.onnx';
  if (!isStandard || CONTROLS.has(opType)) return { first: ANYTHING, others: ANYTHING };
  const inputs = named(node.inputs).map(find);
  const isConstant = !opType.startsWith('Random') && inputs.every((input) => input.isConstant);
  const counted: ValueOrigin = { elementType: INT64, isFree: false, isConstant };
  if (COUNTS.has(opType)) return { first: counted, others: counted };
  const elementType = DECIDES.has(opType) ? BOOL : typeOf(node, find, inputs);
  const sources = movedValues(node) ?? node.inputs;
  const isFree =
    elementType !== BOOL && !UNCHOSEN.has(opType) && named(sources).some((name) => find(name).isFree);
  const first: ValueOrigin = { elementType, isFree, isConstant };
  return { first, others: COUNTS_BESIDE.has(opType) ? counted : first };
}

/** Optional inputs that are left out have no name. */
function named(inputs: readonly string[]): readonly string[] {
  return inputs.filter((name) => name !== '');
}

/** The input whose type the outputs have, where it is not the first. */
const TYPED_BY: ReadonlyMap<string, number> = new Map(Object.entries({ CastLike: 1, Where: 1, OneHot: 2 }));

function typeOf(
  { opType, inputs, integers, tensorType }: GraphNode,
  find: (name: string) => ValueOrigin,
  origins: readonly ValueOrigin[],
): number {
  if (opType === 'Cast') return integers.get('to') ?? 0;
  if (opType === 'Constant') return tensorType ?? 0;
  if (opType === 'ConstantOfShape') return tensorType ?? FLOAT;
  const own = OWN_TYPE.get(opType);
  if (own !== undefined) return own;
  if (ALIKE.has(opType)) return origins.find((origin) => origin.elementType !== 0)?.elementType ?? 0;
  const like = inputs[TYPED_BY.get(opType) ?? 0];
  return like ? find(like).elementType : 0;
}

function put<Value>(maps: Map<Scope, Map<string, Value>>, scope: Scope, name: string, value: Value): void {
  const map = maps.get(scope) ?? new Map<string, Value>();
  maps.set(scope, map);
  map.set(name, value);
}

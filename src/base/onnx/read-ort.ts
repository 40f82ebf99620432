import { invalidInput } from '../errors/nimify-error.ts';
import type { OperatorSet } from './contract.ts';
import { elementTypeOf } from './element-type.ts';
import type { FileBytes } from './file-bytes.ts';
import { createFlatBufferReader, type FlatBufferReader, type FlatTable } from './flatbuffer-reader.ts';
import { createGraphFacts, domainName, type GraphFacts, type StoredTensor } from './graph-facts.ts';
import type { Scope } from './index-limits.ts';
import { LIMITS } from './limits.ts';
import {
  compositeType,
  type RawDimension,
  type RawModel,
  type RawType,
  type RawValue,
  tensorType,
  UNKNOWN_TYPE,
} from './raw-model.ts';

/** Slots of the tables in onnxruntime/core/flatbuffers/schema/ort.fbs. */
const SESSION = { version: 0, model: 1 } as const;
const MODEL = {
  ...{ irVersion: 0, opsetImport: 1, producerName: 2, producerVersion: 3, docString: 6, graph: 7 },
  ...{ metadata: 9 },
} as const;
const GRAPH = { initializers: 0, values: 1, nodes: 2, inputs: 5, outputs: 6, sparseInitializers: 7 } as const;
const NODE = { domain: 2, opType: 5, inputs: 8, outputs: 9, attributes: 10 } as const;
const ATTRIBUTE = { name: 0, integer: 4, tensor: 6, graph: 7, graphs: 12 } as const;
const TENSOR = { name: 0, dims: 2, elementType: 3 } as const;
const SPARSE = { values: 0, dims: 2 } as const;
const VALUE = { name: 0, type: 2 } as const;
const TYPE = { option: 1, value: 2 } as const;
const TENSOR_TYPE = { elementType: 0, shape: 1 } as const;
const MAP_TYPE = { key: 0, value: 1 } as const;
const SEQUENCE_TYPE = { element: 0 } as const;
const SHAPE = { dims: 0 } as const;
const DIMENSION = { value: 0 } as const;
const DIMENSION_VALUE = { kind: 0, size: 1, name: 2 } as const;
const OPSET = { domain: 0, version: 1 } as const;
const ENTRY = { key: 0, value: 1 } as const;
/** Options of the union TypeInfoValue. */
const OPTION = { tensor: 1, sequence: 2, map: 3 } as const;

const MAX_GRAPH_DEPTH = 32;
const MAX_TYPE_DEPTH = 32;
const WANTED_INTEGERS = new Set(['axis', 'fmod', 'gather_axis', 'to']);

/**
 * Reads an ORT format model without the elements of its tensors.
 * @throws NimifyError INVALID_INPUT
 */
export async function readOrt(file: FileBytes): Promise<RawModel> {
  const reader = createFlatBufferReader(file);
  const facts = createGraphFacts();
  const session = await reader.root();
  const model = await reader.table(session, SESSION.model);
  const graph = model && (await reader.table(model, MODEL.graph));
  if (model === undefined || graph === undefined) {
    throw invalidInput('the ORT file has no graph in it; convert the ONNX model again', { where: 'graph' });
  }
  const opsets: OperatorSet[] = [];
  await reader.eachTable(model, MODEL.opsetImport, async (opset) => {
    const domain = domainName(facts.keep(await reader.string(opset, OPSET.domain)));
    opsets.push({ domain, version: (await reader.int64(opset, OPSET.version)) ?? 0 });
  });
  const metadata = new Map<string, string>();
  await reader.eachTable(model, MODEL.metadata, async (entry) => {
    const key = facts.keep(await reader.string(entry, ENTRY.key));
    metadata.set(key, facts.keep(await reader.string(entry, ENTRY.value)));
  });
  const main = facts.openScope(undefined);
  const inputNames = await namesOf(reader, facts, graph, GRAPH.inputs);
  const outputNames = await namesOf(reader, facts, graph, GRAPH.outputs);
  const initializers = await readGraph(reader, facts, graph, main, 0);
  const types = await typesOf(reader, graph, new Set([...inputNames, ...outputNames]));
  const withType = (name: string): RawValue => ({ name, type: types.get(name) ?? UNKNOWN_TYPE });

  return {
    format: 'ort',
    ortVersion: await reader.string(session, SESSION.version),
    graphName: '',
    description: facts.keep(await reader.string(model, MODEL.docString)),
    producerName: facts.keep(await reader.string(model, MODEL.producerName)),
    producerVersion: facts.keep(await reader.string(model, MODEL.producerVersion)),
    irVersion: await reader.int64(model, MODEL.irVersion),
    opsets,
    inputs: inputNames.map(withType),
    outputs: outputNames.map(withType),
    initializers,
    metadata,
    functions: new Set(),
    facts,
    indexLimits: facts.indexLimits(main),
  };
}

async function namesOf(
  reader: FlatBufferReader,
  facts: GraphFacts,
  table: FlatTable,
  slot: number,
): Promise<string[]> {
  const names: string[] = [];
  await reader.eachString(table, slot, (name) => {
    names.push(facts.keep(name));
  });
  return names;
}

/** @returns names of the graph's own initializers */
async function readGraph(
  reader: FlatBufferReader,
  facts: GraphFacts,
  graph: FlatTable,
  scope: Scope,
  depth: number,
): Promise<Set<string>> {
  if (depth > MAX_GRAPH_DEPTH) {
    throw invalidInput(`the ORT file has more than ${MAX_GRAPH_DEPTH} graphs inside each other`, {
      where: 'graph',
    });
  }
  const initializers = new Set<string>();
  const addTensor = (tensor: StoredTensor) => {
    facts.addTable(scope, tensor.name, tensor);
    initializers.add(tensor.name);
  };
  await reader.eachTable(graph, GRAPH.initializers, async (table) =>
    addTensor(await readTensor(reader, table)),
  );
  await reader.eachTable(graph, GRAPH.sparseInitializers, async (sparse) => {
    const values = await reader.table(sparse, SPARSE.values);
    if (values === undefined) return;
    const dims = await reader.int64s(sparse, SPARSE.dims, LIMITS.rank);
    addTensor({ ...(await readTensor(reader, values)), dims });
  });
  const inputs = new Set<string>();
  await reader.eachString(graph, GRAPH.inputs, (name) => {
    inputs.add(name);
  });
  const types = await typesOf(reader, graph, inputs);
  for (const name of inputs) facts.addInput(scope, name, types.get(name)?.elementType);
  await reader.eachTable(graph, GRAPH.nodes, (node) => readNode(reader, facts, node, scope, depth));
  return initializers;
}

async function readNode(
  reader: FlatBufferReader,
  facts: GraphFacts,
  node: FlatTable,
  scope: Scope,
  depth: number,
): Promise<void> {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const integers = new Map<string, number>();
  let tensorType: number | undefined;
  await reader.eachString(node, NODE.inputs, (name) => addEnd(inputs, name));
  await reader.eachString(node, NODE.outputs, (name) => addEnd(outputs, name));
  const domain = await reader.string(node, NODE.domain);
  const opType = await reader.string(node, NODE.opType);
  await reader.eachTable(node, NODE.attributes, async (attribute) => {
    const name = await reader.string(attribute, ATTRIBUTE.name);
    const integer = await reader.int64(attribute, ATTRIBUTE.integer);
    if (integer !== undefined && WANTED_INTEGERS.has(name)) integers.set(name, integer);
    const readSubgraph = async (graph: FlatTable) => {
      await readGraph(reader, facts, graph, facts.openScope(scope), depth + 1);
    };
    const graph = await reader.table(attribute, ATTRIBUTE.graph);
    if (graph !== undefined) await readSubgraph(graph);
    await reader.eachTable(attribute, ATTRIBUTE.graphs, readSubgraph);
    const tensor = await reader.table(attribute, ATTRIBUTE.tensor);
    if (tensor === undefined || !opType.startsWith('Constant')) return;
    const stored = await readTensor(reader, tensor);
    tensorType = stored.elementType;
    if (opType === 'Constant') facts.addTable(scope, outputs[0] ?? '', stored);
  });
  const typed = tensorType === undefined ? {} : { tensorType };
  facts.addNode(scope, { domain, opType, inputs, outputs, integers, ...typed });
}

function addEnd(ends: string[], name: string): void {
  if (ends.length >= LIMITS.nodeEnds) {
    throw invalidInput(`the ORT file is damaged: a node has more than ${LIMITS.nodeEnds} inputs or outputs`, {
      where: 'graph',
    });
  }
  ends.push(name);
}

async function readTensor(reader: FlatBufferReader, tensor: FlatTable): Promise<StoredTensor> {
  const dims = await reader.int64s(tensor, TENSOR.dims, LIMITS.rank);
  return {
    name: await reader.string(tensor, TENSOR.name),
    elementType: await reader.int32(tensor, TENSOR.elementType),
    dims,
    storedDims: dims,
    external: undefined,
  };
}

/** Types of the values named in `wanted`, out of all values that the graph describes. */
async function typesOf(
  reader: FlatBufferReader,
  graph: FlatTable,
  wanted: ReadonlySet<string>,
): Promise<Map<string, RawType>> {
  const types = new Map<string, RawType>();
  await reader.eachTable(graph, GRAPH.values, async (value) => {
    const name = await reader.string(value, VALUE.name);
    if (!wanted.has(name)) return;
    types.set(name, await readType(reader, await reader.table(value, VALUE.type), 0));
  });
  return types;
}

async function readType(
  reader: FlatBufferReader,
  info: FlatTable | undefined,
  depth: number,
): Promise<RawType> {
  const value = info && (await reader.table(info, TYPE.value));
  if (info === undefined || value === undefined || depth > MAX_TYPE_DEPTH) return UNKNOWN_TYPE;
  const inner = async (slot: number) =>
    (await readType(reader, await reader.table(value, slot), depth + 1)).text;
  const option = await reader.int8(info, TYPE.option);
  if (option === OPTION.tensor) {
    const shape = await reader.table(value, TENSOR_TYPE.shape);
    const dims = shape && (await readShape(reader, shape));
    return tensorType('tensor', await reader.int32(value, TENSOR_TYPE.elementType), dims);
  }
  if (option === OPTION.sequence) return compositeType('sequence', [await inner(SEQUENCE_TYPE.element)]);
  if (option === OPTION.map) {
    const key = elementTypeOf(await reader.int32(value, MAP_TYPE.key)).name;
    return compositeType('map', [key, await inner(MAP_TYPE.value)]);
  }
  return UNKNOWN_TYPE;
}

async function readShape(reader: FlatBufferReader, shape: FlatTable): Promise<RawDimension[]> {
  const dims: RawDimension[] = [];
  await reader.eachTable(shape, SHAPE.dims, async (dimension) => {
    const value = await reader.table(dimension, DIMENSION.value);
    const kind = value === undefined ? 0 : await reader.int8(value, DIMENSION_VALUE.kind);
    if (value === undefined || kind === 0) dims.push(undefined);
    else if (kind === 1) dims.push((await reader.int64(value, DIMENSION_VALUE.size)) ?? 0);
    else dims.push(await reader.string(value, DIMENSION_VALUE.name));
  });
  return dims;
}

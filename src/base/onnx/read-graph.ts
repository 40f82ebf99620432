import { invalidInput } from '../errors/nimify-error.ts';
import type { GraphFacts, StoredTensor } from './graph-facts.ts';
import type { Scope } from './index-limits.ts';
import { LIMITS } from './limits.ts';
import type { RawValue } from './raw-model.ts';
import { readSparseTensor, readTensor } from './read-tensor.ts';
import { readValue } from './read-type.ts';
import { BYTES, type Span, type WireReader } from './wire-reader.ts';

/** Field numbers of GraphProto, NodeProto and AttributeProto (onnx.proto). */
const GRAPH = { node: 1, name: 2, initializer: 5, input: 11, output: 12, sparseInitializer: 15 } as const;
const NODE = { input: 1, output: 2, opType: 4, attribute: 5, domain: 7 } as const;
const ATTRIBUTE = {
  ...{ name: 1, integer: 3, tensor: 5, graph: 6, tensors: 10, graphs: 11 },
  ...{ sparseTensor: 22, sparseTensors: 23 },
} as const;

/** What a model's main graph shows to the outside; all else goes to the facts. */
export interface RawGraph {
  name: string;
  readonly inputs: RawValue[];
  readonly outputs: RawValue[];
  readonly initializers: Set<string>;
}

export function emptyGraph(): RawGraph {
  return { name: '', inputs: [], outputs: [], initializers: new Set() };
}

/**
 * Reads a GraphProto into `scope`. Inputs, outputs and initializers are collected in `into`, which is given
 * for the main graph only.
 */
export async function readGraph(
  reader: WireReader,
  facts: GraphFacts,
  at: Span,
  scope: Scope,
  into?: RawGraph,
): Promise<void> {
  const addTable = (tensor: StoredTensor) => {
    facts.addTable(scope, tensor.name, tensor);
    into?.initializers.add(tensor.name);
  };
  await reader.message(at, (field) => {
    if (field.wireType !== BYTES) return undefined;
    switch (field.number) {
      case GRAPH.node:
        return readNode(reader, facts, field, scope);
      case GRAPH.initializer:
        return readTensor(reader, field).then(addTable);
      case GRAPH.sparseInitializer:
        return readSparseTensor(reader, field).then(addTable);
      case GRAPH.input:
        return readValue(reader, field).then((value) => {
          facts.addInput(scope, value.name, value.type.elementType);
          if (into !== undefined) into.inputs.push(keepValue(facts, value));
        });
      case GRAPH.output:
        if (into === undefined) return undefined;
        return readValue(reader, field).then((value) => {
          into.outputs.push(keepValue(facts, value));
        });
      case GRAPH.name:
        if (into === undefined) return undefined;
        return reader.text(field, (text) => {
          into.name = facts.keep(text);
        });
      default:
        return undefined;
    }
  });
}

function keepValue(facts: GraphFacts, value: RawValue): RawValue {
  facts.keep(value.name + value.type.text);
  for (const dim of value.type.dims ?? []) facts.keep(typeof dim === 'string' ? dim : '');
  return value;
}

/** Reads a NodeProto with the graphs in its attributes. */
export async function readNode(reader: WireReader, facts: GraphFacts, at: Span, scope: Scope): Promise<void> {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes: NodeAttributes = { integers: new Map(), value: undefined };
  let opType = '';
  let domain = '';

  await reader.message(at, (field) => {
    if (field.wireType !== BYTES) return undefined;
    switch (field.number) {
      case NODE.input:
      case NODE.output: {
        const names = field.number === NODE.input ? inputs : outputs;
        if (names.length >= LIMITS.nodeEnds) throw tooManyEnds(at.start);
        return reader.text(field, (text) => {
          names.push(text);
        });
      }
      case NODE.opType:
        return reader.text(field, (text) => {
          opType = text;
        });
      case NODE.domain:
        return reader.text(field, (text) => {
          domain = text;
        });
      case NODE.attribute:
        return readAttribute(reader, facts, field, scope, attributes);
      default:
        return undefined;
    }
  });

  const { integers, value } = attributes;
  const tensorType = value === undefined ? {} : { tensorType: value.elementType };
  facts.addNode(scope, { domain, opType, inputs, outputs, integers, ...tensorType });
  const isConstant = opType === 'Constant' && (domain === '' || domain === 'ai.onnx');
  if (isConstant && value !== undefined) facts.addTable(scope, outputs[0] ?? '', value);
}

/** The attributes that matter here: a few integers, and the tensor of a Constant. */
interface NodeAttributes {
  readonly integers: Map<string, number>;
  value: StoredTensor | undefined;
}

const WANTED_INTEGERS = new Set(['axis', 'fmod', 'gather_axis', 'to']);

async function readAttribute(
  reader: WireReader,
  facts: GraphFacts,
  at: Span,
  scope: Scope,
  into: NodeAttributes,
): Promise<void> {
  let name = '';
  let integer: number | undefined;
  const keepTensor = (tensor: StoredTensor) => {
    facts.addExternal(tensor);
    into.value = tensor;
  };
  await reader.message(at, (field) => {
    switch (field.number) {
      case ATTRIBUTE.name:
        return reader.text(field, (text) => {
          name = text;
        });
      case ATTRIBUTE.integer:
        integer = field.value;
        return undefined;
      case ATTRIBUTE.tensor:
      case ATTRIBUTE.tensors:
        return readTensor(reader, field).then(keepTensor);
      case ATTRIBUTE.sparseTensor:
      case ATTRIBUTE.sparseTensors:
        return readSparseTensor(reader, field).then(keepTensor);
      case ATTRIBUTE.graph:
      case ATTRIBUTE.graphs:
        return readGraph(reader, facts, field, facts.openScope(scope));
      default:
        return undefined;
    }
  });
  if (integer !== undefined && WANTED_INTEGERS.has(name)) into.integers.set(name, integer);
}

function tooManyEnds(at: number) {
  return invalidInput(
    `the ONNX file is damaged: a node at byte ${at} has more than ${LIMITS.nodeEnds} inputs or outputs`,
    {
      where: `byte ${at}`,
    },
  );
}

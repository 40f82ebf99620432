import { invalidInput } from '../errors/nimify-error.ts';
import type { OperatorSet } from './contract.ts';
import type { FileBytes } from './file-bytes.ts';
import { createGraphFacts, domainName, type GraphFacts, operatorName } from './graph-facts.ts';
import type { RawModel } from './raw-model.ts';
import { emptyGraph, readGraph, readNode } from './read-graph.ts';
import { readEntry } from './read-tensor.ts';
import {
  BYTES,
  createWireReader,
  type Span,
  VARINT,
  type WireField,
  type WireReader,
} from './wire-reader.ts';

/** Field numbers of ModelProto, OperatorSetIdProto and FunctionProto (onnx.proto). */
const MODEL = {
  ...{
    irVersion: 1,
    producerName: 2,
    producerVersion: 3,
    domain: 4,
    modelVersion: 5,
    docString: 6,
    graph: 7,
  },
  ...{ opsetImport: 8, metadata: 14, training: 20, functions: 25, configuration: 26 },
} as const;
const OPSET = { domain: 1, version: 2 } as const;
const FUNCTION = { name: 1, node: 7, domain: 10 } as const;

const NUMBERS: readonly number[] = [MODEL.irVersion, MODEL.modelVersion];
const KNOWN_FIELDS: ReadonlySet<number> = new Set(Object.values(MODEL));

/** Can a file that begins with this byte be an ONNX model? Its first field is one of ModelProto's. */
export function mayBeginOnnx(firstByte: number, secondByte: number): boolean {
  const tag = firstByte < 0x80 ? firstByte : (firstByte & 0x7f) | (secondByte << 7);
  const wireType = NUMBERS.includes(tag >> 3) ? VARINT : BYTES;
  return KNOWN_FIELDS.has(tag >> 3) && (tag & 7) === wireType;
}

/**
 * Reads a ModelProto without the elements of its tensors.
 * @throws NimifyError INVALID_INPUT
 */
export async function readOnnx(file: FileBytes): Promise<RawModel> {
  const reader = createWireReader(file);
  const facts = createGraphFacts();
  const main = facts.openScope(undefined);
  const graph = emptyGraph();
  const texts = { producerName: '', producerVersion: '', description: '' };
  const opsets: OperatorSet[] = [];
  const metadata = new Map<string, string>();
  const functions = new Set<string>();
  let irVersion: number | undefined;
  let hasGraph = false;

  const readInto = (key: keyof typeof texts, field: WireField) =>
    reader.text(field, (text) => {
      texts[key] = facts.keep(text);
    });

  await reader.message({ wireType: BYTES, start: 0, end: file.sizeBytes }, (field) => {
    if (field.number === MODEL.irVersion) irVersion = field.value;
    if (field.wireType !== BYTES) return undefined;
    switch (field.number) {
      case MODEL.producerName:
        return readInto('producerName', field);
      case MODEL.producerVersion:
        return readInto('producerVersion', field);
      case MODEL.docString:
        return readInto('description', field);
      case MODEL.graph:
        hasGraph = true;
        return readGraph(reader, facts, field, main, graph);
      case MODEL.opsetImport:
        return readOpset(reader, field).then((opset) => {
          opsets.push({ domain: facts.keep(opset.domain), version: opset.version });
        });
      case MODEL.metadata:
        return readEntry(reader, field).then(([key, value]) => {
          metadata.set(facts.keep(key), facts.keep(value));
        });
      case MODEL.functions:
        return readFunction(reader, facts, field).then((name) => {
          functions.add(facts.keep(name));
        });
      default:
        return undefined;
    }
  });

  if (!hasGraph) {
    throw invalidInput(
      'the file has no ONNX graph in it; if it is a TensorFlow model, convert it with ' +
        '`python -m tf2onnx.convert --saved-model DIR --output model.onnx`, else export or download it again',
      { where: 'graph' },
    );
  }
  return {
    format: 'onnx',
    ortVersion: undefined,
    ...texts,
    graphName: graph.name,
    irVersion,
    opsets,
    inputs: graph.inputs,
    outputs: graph.outputs,
    initializers: graph.initializers,
    metadata,
    functions,
    facts,
    indexLimits: facts.indexLimits(main),
  };
}

async function readOpset(reader: WireReader, opset: Span): Promise<OperatorSet> {
  let domain = '';
  let version = 0;
  await reader.message(opset, (field) => {
    if (field.number === OPSET.version) version = field.value;
    if (field.number !== OPSET.domain) return undefined;
    return reader.text(field, (text) => {
      domain = text;
    });
  });
  return { domain: domainName(domain), version };
}

/** Counts the operators of a FunctionProto, once whatever calls it. @returns its name as an operator */
async function readFunction(reader: WireReader, facts: GraphFacts, body: Span): Promise<string> {
  const scope = facts.openScope(undefined);
  let domain = '';
  let name = '';
  await reader.message(body, (field) => {
    switch (field.number) {
      case FUNCTION.name:
        return reader.text(field, (text) => {
          name = text;
        });
      case FUNCTION.domain:
        return reader.text(field, (text) => {
          domain = text;
        });
      case FUNCTION.node:
        return readNode(reader, facts, field, scope);
      default:
        return undefined;
    }
  });
  return operatorName(domain, name);
}

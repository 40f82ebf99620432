import { invalidInput } from '../errors/nimify-error.ts';
import { elementCount } from '../tensor/tensor.ts';
import { elementTypeOf } from './element-type.ts';
import { BUILT_IN_DOMAINS } from './engine-support.ts';
import { findIndexLimits, type GraphNode, indexRole, type Lookup, type Scope } from './index-limits.ts';
import { LIMITS } from './limits.ts';
import { createValueOrigins } from './value-origins.ts';
import { findValueRisks, isSuspect, type Suspect, type ValueRisks } from './value-risks.ts';

/** A tensor stored in the file, without its elements. */
export interface StoredTensor {
  readonly name: string;
  /** Number in TensorProto.DataType. */
  readonly elementType: number;
  readonly dims: readonly number[];
  /** Dimensions of what is stored; a sparse tensor stores fewer elements than it has. */
  readonly storedDims: readonly number[];
  /** Where the elements are, if in another file. */
  readonly external: ExternalReference | undefined;
}

export interface ExternalReference {
  readonly location: string;
  readonly offset: number;
  /** `undefined`: not stated; then it follows from the dimensions. */
  readonly length: number | undefined;
}

export interface CustomOperator {
  readonly domain: string;
  readonly opType: string;
}

/** What is collected over all graphs of a file while it is read once, in proportion to what is kept. */
export interface GraphFacts {
  readonly operators: ReadonlyMap<string, number>;
  readonly parameterCount: number;
  /** Location as written in the file -> how many bytes that file must have. */
  readonly external: ReadonlyMap<string, number>;
  /** Nodes of domains that the engine does not have, one entry for each operator. */
  readonly customOperators: readonly CustomOperator[];
  /** Names of tensors whose dimensions cannot be. */
  readonly badTensors: readonly string[];
  /** Charges the memory of a text that is kept. */
  keep(text: string): string;
  openScope(parent: Scope | undefined): Scope;
  /**
   * An input of a graph; a table of the same name, its default, stays. `elementType` is 0 where it is unknown, or
   * no tensor.
   */
  addInput(scope: Scope, name: string, elementType?: number): void;
  /** An initializer, or the tensor of a Constant node under its output's name. */
  addTable(scope: Scope, name: string, tensor: StoredTensor): void;
  /** A tensor whose elements may be in another file. */
  addExternal(tensor: StoredTensor): void;
  addNode(scope: Scope, node: GraphNode): void;
  indexLimits(main: Scope): Map<string, number>;
  valueRisks(): ValueRisks;
}

/** ONNX's own domain has two names, the empty one and `ai.onnx`. */
export function domainName(domain: string): string {
  return domain === '' ? 'ai.onnx' : domain;
}

/** How an operator is named to people: `Conv`, `com.microsoft.Tokenizer`. */
export function operatorName(domain: string, opType: string): string {
  return domainName(domain) === 'ai.onnx' ? opType : `${domain}.${opType}`;
}

export function createGraphFacts(): GraphFacts {
  const operators = new Map<string, number>();
  const external = new Map<string, number>();
  const customOperators: CustomOperator[] = [];
  const badTensors: string[] = [];
  const lookups: Lookup[] = [];
  const origins = createValueOrigins();
  const suspects: Suspect[] = [];
  let nodes = 0;
  let keptBytes = 0;
  let parameterCount = 0;

  function charge(bytes: number): void {
    keptBytes += bytes;
    if (keptBytes <= LIMITS.keptBytes) return;
    throw invalidInput('the names in the model file take more memory than a model needs; it is not read', {
      where: 'graph',
      expected: `at most ${LIMITS.keptBytes} bytes`,
    });
  }

  function keep(text: string): string {
    // A character is one or two bytes; an entry of a map with its object is some 100.
    charge(2 * text.length + 100);
    return text;
  }

  function countOperator(node: GraphNode): void {
    nodes += 1;
    if (nodes > LIMITS.nodes) {
      throw invalidInput(`the model has more than ${LIMITS.nodes} nodes; it is not read`, { where: 'graph' });
    }
    const name = operatorName(node.domain, node.opType);
    const count = operators.get(name);
    if (count === undefined) {
      keep(name);
      if (!BUILT_IN_DOMAINS.has(domainName(node.domain))) {
        customOperators.push({ domain: node.domain, opType: node.opType });
      }
    }
    operators.set(name, (count ?? 0) + 1);
  }

  function countElements(tensor: StoredTensor): void {
    const elements = elementCount(tensor.storedDims);
    if (!Number.isSafeInteger(parameterCount + elements)) {
      if (badTensors.length < LIMITS.problems) badTensors.push(tensor.name);
      return;
    }
    parameterCount += elements;
  }

  function addExternal(tensor: StoredTensor): void {
    if (tensor.external === undefined) return;
    const { location, offset, length } = tensor.external;
    const bytes =
      length ??
      Math.ceil(((elementCount(tensor.storedDims) || 0) * elementTypeOf(tensor.elementType).bits) / 8);
    const known = external.get(location);
    if (known === undefined) keep(location);
    external.set(location, Math.max(known ?? 0, offset + bytes));
  }

  return {
    operators,
    external,
    customOperators,
    badTensors,
    get parameterCount() {
      return parameterCount;
    },
    keep,
    openScope: (parent) => ({ parent, values: new Map() }),
    addInput(scope, name, elementType = 0) {
      if (scope.values.has(name)) return;
      scope.values.set(keep(name), { kind: 'given' });
      origins.addInput(scope, name, elementType);
    },
    addTable(scope, name, tensor) {
      countElements(tensor);
      addExternal(tensor);
      charge(8 * tensor.dims.length);
      scope.values.set(keep(name), { kind: 'table', dims: tensor.dims });
      origins.addTable(scope, name, tensor.elementType);
    },
    addExternal,
    addNode(scope, node) {
      countOperator(node);
      origins.addNode(scope, node);
      if (isSuspect(node)) {
        for (const name of node.inputs) keep(name);
        suspects.push({ scope, node });
      }
      const role = indexRole(node);
      if (role === undefined) return;
      const { lookup, origin } = role;
      if (lookup !== undefined) {
        for (const pair of lookup) lookups.push({ scope, ...pair });
        for (const pair of lookup) keep(pair.data + pair.indices);
      }
      if (origin === undefined) return;
      for (const from of origin.from) keep(from);
      for (const output of node.outputs) scope.values.set(keep(output), origin);
    },
    indexLimits: (main) => findIndexLimits(main, lookups),
    valueRisks: () => findValueRisks(suspects, origins),
  };
}

import type { GraphNode, Scope } from './index-limits.ts';
import type { ValueOrigins } from './value-origins.ts';

/** What values of a request can do to the engine in this graph, beyond a wrong answer. */
export interface ValueRisks {
  /** An operator that ends the engine's process on some values, and a request may bring them. */
  readonly crashOperator?: string;
  /** An operator that never ends where its kernel has no elements, and a request may bring such a kernel. */
  readonly emptyKernelOperator?: string;
}

export interface Suspect {
  readonly scope: Scope;
  readonly node: GraphNode;
}

const INT32 = 6;
const INT64 = 7;

type Test = (suspect: Suspect, origins: ValueOrigins) => boolean;

/**
 * Measured with onnxruntime-node 1.30.0, x86-64: some 150 operators with numeric inputs other than weights, each
 * alone in a process of its own, 600 requests of small, huge, negative and smallest integers or of floats up to
 * infinity. Those that ended the process (SIGFPE): integer division of the smallest number by -1 (8 and 16 bits
 * are divided as 32, remainders by `fmod` as floats), and STFT with a frame of length 0.
 */
const CRASHES: ReadonlyMap<string, Test> = new Map([
  ['Div', isFreeDivision],
  ['Mod', isFreeRemainder],
  ['STFT', isFreeFrame],
]);

/** A Conv whose kernel is 0 wide or high repeats itself for good; other convolutions refuse it or have an answer. */
const EMPTY_KERNELS: ReadonlyMap<string, Test> = new Map([['Conv', isGivenKernel]]);

/** Both must be free: neither sizes nor what a model stores are the smallest number. */
function isFreeDivision({ scope, node }: Suspect, origins: ValueOrigins): boolean {
  const operands = node.inputs.map((name) => origins.find(scope, name));
  const elementType = operands.find((operand) => operand.elementType !== 0)?.elementType;
  const mayTrap = elementType === undefined || elementType === INT32 || elementType === INT64;
  return mayTrap && operands.every((operand) => operand.isFree);
}

function isFreeRemainder(suspect: Suspect, origins: ValueOrigins): boolean {
  return suspect.node.integers.get('fmod') !== 1 && isFreeDivision(suspect, origins);
}

function isFreeFrame({ scope, node }: Suspect, origins: ValueOrigins): boolean {
  const length = node.inputs[3];
  return isGiven(length) && origins.find(scope, length).isFree;
}

function isGivenKernel({ scope, node }: Suspect, origins: ValueOrigins): boolean {
  const kernel = node.inputs[1];
  return isGiven(kernel) && !origins.find(scope, kernel).isConstant;
}

function isGiven(name: string | undefined): name is string {
  return name !== undefined && name !== '';
}

export function isSuspect({ domain, opType }: GraphNode): boolean {
  return (domain === '' || domain === 'ai.onnx') && (CRASHES.has(opType) || EMPTY_KERNELS.has(opType));
}

export function findValueRisks(suspects: readonly Suspect[], origins: ValueOrigins): ValueRisks {
  const firstIn = (table: ReadonlyMap<string, Test>) =>
    suspects.find((suspect) => table.get(suspect.node.opType)?.(suspect, origins))?.node.opType;
  const crashOperator = firstIn(CRASHES);
  const emptyKernelOperator = firstIn(EMPTY_KERNELS);
  return {
    ...(crashOperator === undefined ? {} : { crashOperator }),
    ...(emptyKernelOperator === undefined ? {} : { emptyKernelOperator }),
  };
}

import { describe, expect, it } from 'vitest';
import { createGraphFacts, type GraphFacts } from './graph-facts.ts';
import type { GraphNode, Scope } from './index-limits.ts';

/** Numbers in TensorProto.DataType. */
const [FLOAT, INT8, INT32, INT64, BOOL] = [1, 3, 6, 7, 9];

function node(
  opType: string,
  inputs: string[],
  outputs: string[],
  rest: { readonly tensorType?: number; readonly domain?: string; readonly integers?: object } = {},
): GraphNode {
  const { integers = {}, ...more } = rest;
  return { domain: '', opType, inputs, outputs, integers: new Map(Object.entries(integers)), ...more };
}

function addTable(facts: GraphFacts, scope: Scope, name: string, elementType: number): void {
  facts.addTable(scope, name, { name, elementType, dims: [2], storedDims: [2], external: undefined });
}

/** Inputs `i` (INT64), `j` (INT32), `tiny` (INT8), `f` (FP32), `mask` (BOOL); tables `seven` (INT64), `w` (FP32). */
function risksOf(...nodes: GraphNode[]) {
  const facts = createGraphFacts();
  const main = facts.openScope(undefined);
  for (const each of nodes) facts.addNode(main, each);
  addTable(facts, main, 'seven', INT64);
  addTable(facts, main, 'w', FLOAT);
  const inputs = { i: INT64, j: INT32, tiny: INT8, f: FLOAT, mask: BOOL };
  for (const [name, elementType] of Object.entries(inputs)) facts.addInput(main, name, elementType);
  return facts.valueRisks();
}

const DIV = { crashOperator: 'Div' };

describe('value risks', () => {
  it.each<[string, object, ...GraphNode[]]>([
    ['64 bits by 64 bits', DIV, node('Div', ['i', 'i'], ['y'])],
    ['32 bits by 32 bits', DIV, node('Div', ['j', 'j'], ['y'])],
    ['a remainder', { crashOperator: 'Mod' }, node('Mod', ['i', 'i'], ['y'])],
    [
      'a remainder of floats, whatever they are',
      {},
      node('Mod', ['i', 'i'], ['y'], { integers: { fmod: 1 } }),
    ],
    ['8 bits, which are divided as 32', {}, node('Div', ['tiny', 'tiny'], ['y'])],
    ['floats', {}, node('Div', ['f', 'f'], ['y'])],
    ['what the file divides by', {}, node('Div', ['i', 'seven'], ['y'])],
    ['what the file has divided', {}, node('Div', ['seven', 'i'], ['y'])],
    ["a word of JavaScript's objects", {}, node('toString', ['i', 'i'], ['y'])],
    ['a Div of somebody else', {}, node('Div', ['i', 'i'], ['y'], { domain: 'my.own' })],
    ['a Div whose domain is spelt out', DIV, node('Div', ['i', 'i'], ['y'], { domain: 'ai.onnx' })],
  ])('of a division: %s', (_, risks, ...nodes) => {
    expect(risksOf(...nodes)).toEqual(risks);
  });

  const by = (...makers: GraphNode[]) => [...makers, node('Div', ['i', 'n'], ['y'])];
  it.each<[string, object, GraphNode[]]>([
    ['sizes', {}, by(node('Shape', ['f'], ['s']), node('Gather', ['s', 'seven'], ['n']))],
    [
      'sizes at a place that a request names',
      {},
      by(node('Shape', ['f'], ['s']), node('Gather', ['s', 'i'], ['n'])),
    ],
    ['indexes', {}, by(node('ArgMax', ['f'], ['a']), node('Add', ['a', 'seven'], ['n']))],
    ['indexes beside values', {}, by(node('TopK', ['f', 'seven'], ['values', 'n']))],
    [
      'what was counted',
      {},
      by(node('Greater', ['f', 'w'], ['g']), node('Cast', ['g'], ['n'], { integers: { to: INT64 } })),
    ],
    [
      'a mask',
      {},
      by(
        node('Cast', ['mask'], ['m'], { integers: { to: BOOL } }),
        node('Cast', ['m'], ['n'], { integers: { to: INT64 } }),
      ),
    ],
    ['a constant', {}, by(node('Constant', [], ['n'], { tensorType: INT64 }))],
    [
      'values moved',
      DIV,
      by(node('Reshape', ['i', 'seven'], ['r']), node('Slice', ['r', 'seven', 'seven'], ['n'])),
    ],
    ['values among others', DIV, by(node('Concat', ['seven', 'i'], ['n']))],
    ['floats made integers', DIV, by(node('Cast', ['f'], ['n'], { integers: { to: INT64 } }))],
    ['values after the nodes that use them', DIV, by(node('Neg', ['i'], ['n'])).reverse()],
    ['what somebody else counts', DIV, by(node('Shape', ['f'], ['n'], { domain: 'my.own' }))],
    ['sizes, by the domain spelt out', {}, by(node('Shape', ['f'], ['n'], { domain: 'ai.onnx' }))],
    ['what a loop answers', DIV, by(node('Loop', ['seven', 'mask', 'seven'], ['n']))],
    ['what nothing makes', DIV, by()],
    ['itself', DIV, by(node('Add', ['n', 'i'], ['n']))],
  ])('of an integer divided by %s', (_, risks, nodes) => {
    expect(risksOf(...nodes)).toEqual(risks);
  });

  it.each<[string, GraphNode[]]>([
    ['an operator for floats', [node('Sqrt', ['unknown'], ['n'])]],
    ['a table among the operands', [node('Add', ['unknown', 'w'], ['n'])]],
    ['weights', [node('MatMul', ['unknown', 'w'], ['n'])]],
    ['a cast', [node('Cast', ['i'], ['n'], { integers: { to: FLOAT } })]],
    ['dequantisation', [node('DequantizeLinear', ['unknown', 'w'], ['n'])]],
    ['a choice', [node('Where', ['unknown', 'f', 'unknown'], ['n'])]],
    ['a filled tensor', [node('ConstantOfShape', ['unknown'], ['z']), node('Add', ['z', 'unknown'], ['n'])]],
  ])('tells floats from integers by %s', (_, makers) => {
    expect(risksOf(...makers, node('Div', ['x', 'n'], ['y']))).toEqual({});
  });

  it('takes inputs with a default for that default, and subgraphs for what they declare', () => {
    const facts = createGraphFacts();
    const main = facts.openScope(undefined);
    facts.addInput(main, 'n', INT64);
    addTable(facts, main, 'n', INT64);
    const body = facts.openScope(main);
    facts.addInput(body, 'x', INT64);
    facts.addInput(body, 'y', FLOAT);
    facts.addNode(body, node('Div', ['x', 'n'], ['a']));
    facts.addNode(body, node('Div', ['y', 'y'], ['b']));
    expect(facts.valueRisks()).toEqual({});
    facts.addNode(body, node('Div', ['x', 'x'], ['c']));
    expect(facts.valueRisks()).toEqual(DIV);
  });

  it('of a frame whose length a request brings', () => {
    expect(risksOf(node('STFT', ['f', 'seven', 'w', 'seven'], ['y']))).toEqual({});
    expect(risksOf(node('STFT', ['f', 'i', 'w'], ['y']))).toEqual({});
    expect(risksOf(node('STFT', ['f', 'seven', '', 'i'], ['y']))).toEqual({ crashOperator: 'STFT' });
  });

  it('of a kernel that a request brings, or sizes', () => {
    expect(risksOf(node('Conv', ['f', 'w'], ['y']))).toEqual({});
    const unpacked = node('DequantizeLinear', ['w', 'w'], ['k']);
    expect(risksOf(unpacked, node('Conv', ['f', 'k'], ['y']))).toEqual({});
    expect(risksOf(node('Conv', ['f', 'f'], ['y']))).toEqual({ emptyKernelOperator: 'Conv' });
    const sized = [node('Shape', ['f'], ['s']), node('ConstantOfShape', ['s'], ['k'])];
    expect(risksOf(...sized, node('Conv', ['f', 'k'], ['y']))).toEqual({ emptyKernelOperator: 'Conv' });
    const mixed = node('Add', ['w', 'f'], ['k']);
    expect(risksOf(mixed, node('Conv', ['f', 'k'], ['y']))).toEqual({ emptyKernelOperator: 'Conv' });
    expect(risksOf(node('Conv', ['f'], ['y']), node('Conv', ['f', ''], ['z']))).toEqual({});
  });

  it('judges a deep graph without a deep stack, and each node once', () => {
    const chain = Array.from({ length: 50_000 }, (_, at) =>
      node('Add', [`v${at}`, `v${at}`], [`v${at + 1}`]),
    );
    const ends = [node('Identity', ['i'], ['v0']), node('Div', ['v50000', 'i'], ['y'])];
    expect(risksOf(...chain, ...ends)).toEqual(DIV);
  });

  it('assumes the worst of a graph that is too large to be traced', () => {
    const long = 'x'.repeat(2 ** 16);
    const filling = Array.from({ length: 600 }, (_, at) => node('Relu', [`${long}${at}`], [`${at}${long}`]));
    const safe = [node('Shape', ['f'], ['n']), node('Div', ['n', 'n'], ['y'])];
    expect(risksOf(...safe)).toEqual({});
    expect(risksOf(...filling, ...safe)).toEqual(DIV);
  });
});

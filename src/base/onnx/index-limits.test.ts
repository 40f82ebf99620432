import { describe, expect, it } from 'vitest';
import { createGraphFacts, type StoredTensor } from './graph-facts.ts';
import type { GraphNode } from './index-limits.ts';

const table = (...dims: number[]): StoredTensor => ({
  name: '',
  elementType: 1,
  dims,
  storedDims: [3],
  external: undefined,
});

function node(
  opType: string,
  inputs: string[],
  outputs: string[],
  integers: Record<string, number> = {},
): GraphNode {
  return { domain: '', opType, inputs, outputs, integers: new Map(Object.entries(integers)) };
}

/** Limits of the inputs `ids` and `more` over tables `words` [20, 4] and `few` [5, 3]. */
function limitsOf(...nodes: GraphNode[]): Record<string, number> {
  const facts = createGraphFacts();
  const main = facts.openScope(undefined);
  facts.addInput(main, 'ids');
  facts.addInput(main, 'more');
  facts.addTable(main, 'words', table(20, 4));
  facts.addTable(main, 'few', table(5, 3));
  for (const each of nodes) facts.addNode(main, each);
  return Object.fromEntries(facts.indexLimits(main));
}

describe('index limits', () => {
  it('take the axis of the lookup', () => {
    expect(limitsOf(node('Gather', ['words', 'ids'], ['y']))).toEqual({ ids: 20 });
    expect(limitsOf(node('Gather', ['words', 'ids'], ['y'], { axis: 1 }))).toEqual({ ids: 4 });
    expect(limitsOf(node('GatherElements', ['words', 'ids'], ['y'], { axis: -1 }))).toEqual({ ids: 4 });
    expect(limitsOf(node('Gather', ['words', 'ids'], ['y'], { axis: 7 }))).toEqual({});
  });

  it('take operators of ONNX itself only, whichever way their domain is written', () => {
    const gather = node('Gather', ['words', 'ids'], ['y']);
    expect(limitsOf({ ...gather, domain: 'ai.onnx' })).toEqual({ ids: 20 });
    expect(limitsOf({ ...gather, domain: 'my.own' })).toEqual({});
    const cast = node('Cast', ['ids'], ['ids_64'], { to: 7 });
    expect(limitsOf({ ...cast, domain: 'my.own' }, node('Gather', ['words', 'ids_64'], ['y']))).toEqual({});
  });

  it('are none where a table has no rows, a lookup has no indexes, or names stand for themselves', () => {
    const facts = createGraphFacts();
    const main = facts.openScope(undefined);
    facts.addInput(main, 'ids');
    facts.addTable(main, 'empty', table(0, 4));
    facts.addTable(main, 'words', table(20, 4));
    facts.addNode(main, node('Gather', ['empty', 'ids'], ['a']));
    facts.addNode(main, node('Gather', ['words'], ['b']));
    facts.addNode(main, node('Gather', ['words', ''], ['c']));
    facts.addNode(main, node('Identity', ['circle'], ['circle']));
    facts.addNode(main, node('Gather', ['circle', 'ids'], ['d']));
    facts.addNode(main, node('Gather', ['words', 'circle'], ['e']));
    facts.addNode(main, node('Gather', ['nowhere', 'ids'], ['f']));
    facts.addNode(main, node('Gather', ['words', 'nowhere'], ['g']));
    expect(Object.fromEntries(facts.indexLimits(main))).toEqual({});
  });

  it('take the smallest of several tables, in whatever order the nodes stand', () => {
    const nodes = [
      node('Gather', ['words', 'ids_64'], ['a']),
      node('Gather', ['few', 'ids_flat'], ['b']),
      node('Cast', ['ids'], ['ids_64'], { to: 7 }),
      node('Reshape', ['ids_64', 'shape'], ['ids_flat']),
    ];
    expect(limitsOf(...nodes)).toEqual({ ids: 5 });
    expect(limitsOf(...nodes.reverse())).toEqual({ ids: 5 });
  });

  it('follow joins to every part, and lookups in looked-up ids', () => {
    expect(
      limitsOf(
        node('Concat', ['ids', 'more'], ['both'], { axis: 0 }),
        node('Where', ['mask', 'both', 'pad'], ['masked']),
        node('Gather', ['masked', 'first'], ['picked']),
        node('Gather', ['words', 'picked'], ['y']),
      ),
    ).toEqual({ ids: 20, more: 20 });
  });

  it('stop at arithmetic, at a cast to bool, and at tables that are computed', () => {
    expect(limitsOf(node('Add', ['ids', 'more'], ['sum']), node('Gather', ['words', 'sum'], ['y']))).toEqual(
      {},
    );
    expect(
      limitsOf(node('Cast', ['ids'], ['flag'], { to: 9 }), node('Gather', ['words', 'flag'], ['y'])),
    ).toEqual({});
    expect(limitsOf(node('Transpose', ['words'], ['t']), node('Gather', ['t', 'ids'], ['y']))).toEqual({});
    expect(limitsOf(node('Gather', ['more', 'ids'], ['y']))).toEqual({});
  });

  it('see through operators that keep the shape of a table', () => {
    expect(
      limitsOf(
        node('DequantizeLinear', ['words', 'scale'], ['floats']),
        node('Cast', ['floats'], ['halves'], { to: 10 }),
        node('Gather', ['halves', 'ids'], ['y']),
      ),
    ).toEqual({ ids: 20 });
  });

  it("know ONNX Runtime's fused embedding", () => {
    const fused = node('EmbedLayerNormalization', ['ids', 'more', 'words', 'positions', 'few'], ['y']);
    expect(limitsOf({ ...fused, domain: 'com.microsoft' })).toEqual({ ids: 20, more: 5 });
    expect(limitsOf(fused)).toEqual({});
  });

  it('look outwards from subgraphs, and not from one into another', () => {
    const facts = createGraphFacts();
    const main = facts.openScope(undefined);
    facts.addInput(main, 'ids');
    facts.addInput(main, 'more');
    const left = facts.openScope(main);
    const right = facts.openScope(main);
    facts.addTable(left, 'table', table(6, 2));
    facts.addNode(left, node('Gather', ['table', 'ids'], ['y']));
    facts.addInput(right, 'more');
    facts.addTable(right, 'small', table(2, 2));
    facts.addNode(right, node('Gather', ['table', 'ids'], ['y']));
    facts.addNode(right, node('Gather', ['small', 'more'], ['z']));
    expect(Object.fromEntries(facts.indexLimits(main))).toEqual({ ids: 6 });
  });

  it('come to an end where values refer to each other', () => {
    expect(
      limitsOf(
        node('Identity', ['b'], ['a']),
        node('Identity', ['a'], ['b']),
        node('Gather', ['words', 'a'], ['y']),
        node('Gather', ['a', 'ids'], ['z']),
      ),
    ).toEqual({});
  });

  it('know the operators under either name of their domain, and no others', () => {
    const gather = node('Gather', ['words', 'ids'], ['y']);
    expect(limitsOf({ ...gather, domain: 'ai.onnx' })).toEqual({ ids: 20 });
    expect(limitsOf({ ...gather, domain: 'my.own' })).toEqual({});
    const quantized = node('GatherBlockQuantized', ['words', 'ids'], ['y'], { gather_axis: 1 });
    expect(limitsOf({ ...quantized, domain: 'com.microsoft' })).toEqual({ ids: 4 });
    expect(limitsOf(quantized)).toEqual({});
    const otherOfTheirs = node('Attention', ['ids', 'more', 'words', 'p', 'few'], ['y']);
    expect(limitsOf({ ...otherOfTheirs, domain: 'com.microsoft' })).toEqual({});
  });

  it('need a table and indices', () => {
    expect(limitsOf(node('Gather', ['words'], ['y']))).toEqual({});
    expect(limitsOf(node('Gather', ['', 'ids'], ['y']))).toEqual({});
    expect(limitsOf(node('Gather', ['words', ''], ['y']))).toEqual({});
    expect(limitsOf(node('Gather', ['nowhere', 'ids'], ['y']))).toEqual({});
    expect(limitsOf(node('Gather', ['words', 'nowhere'], ['y']))).toEqual({});
  });

  it('take nothing from a table without rows', () => {
    const facts = createGraphFacts();
    const main = facts.openScope(undefined);
    facts.addInput(main, 'ids');
    facts.addTable(main, 'empty', table(0, 4));
    facts.addTable(main, 'scalar', table());
    facts.addNode(main, node('Gather', ['empty', 'ids'], ['y']));
    facts.addNode(main, node('Gather', ['scalar', 'ids'], ['z']));
    expect([...facts.indexLimits(main)]).toEqual([]);
  });

  it('pass through the chosen values of Where, and not through its condition', () => {
    expect(
      limitsOf(node('Where', ['ids', 'more', 'pad'], ['chosen']), node('Gather', ['words', 'chosen'], ['y'])),
    ).toEqual({ more: 20 });
  });

  it('pass through the first input of an operator that moves values, and no other', () => {
    expect(
      limitsOf(node('Reshape', ['ids', 'more'], ['moved']), node('Gather', ['words', 'moved'], ['y'])),
    ).toEqual({ ids: 20 });
    expect(
      limitsOf(node('Identity', ['ids'], ['same'], { to: 9 }), node('Gather', ['words', 'same'], ['y'])),
    ).toEqual({ ids: 20 });
    expect(limitsOf(node('Identity', [], ['same']), node('Gather', ['words', 'same'], ['y']))).toEqual({});
  });

  it('see a table only where its shape is kept', () => {
    for (const shaping of ['Concat', 'Where', 'Reshape']) {
      expect(
        limitsOf(node(shaping, ['words', 'words', 'words'], ['t']), node('Gather', ['t', 'ids'], ['y'])),
      ).toEqual({});
    }
    expect(limitsOf(node('Identity', [], ['t']), node('Gather', ['t', 'ids'], ['y']))).toEqual({});
    const chain = (length: number) => [
      ...Array.from({ length }, (_, i) => node('Identity', [i === 0 ? 'words' : `t${i}`], [`t${i + 1}`])),
      node('Gather', [`t${length}`, 'ids'], ['y']),
    ];
    expect(limitsOf(...chain(7))).toEqual({ ids: 20 });
    expect(limitsOf(...chain(8))).toEqual({});
  });

  it('do not turn values of a quantised table into indices', () => {
    expect(
      limitsOf(node('DequantizeLinear', ['ids', 's'], ['real']), node('Gather', ['words', 'real'], ['y'])),
    ).toEqual({});
  });
});

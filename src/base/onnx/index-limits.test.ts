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
});

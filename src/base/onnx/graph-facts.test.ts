import { describe, expect, it } from 'vitest';
import { createGraphFacts, domainName, operatorName, type StoredTensor } from './graph-facts.ts';

const tensor = (storedDims: readonly number[], rest: Partial<StoredTensor> = {}): StoredTensor => ({
  ...{ name: 't', elementType: 1, dims: storedDims, storedDims, external: undefined },
  ...rest,
});

const node = (opType: string, domain = '') => ({
  domain,
  opType,
  inputs: [],
  outputs: [],
  integers: new Map(),
});

describe('createGraphFacts', () => {
  it('counts operators by name, and lists those of unknown domains once', () => {
    const facts = createGraphFacts();
    const scope = facts.openScope(undefined);
    for (const each of [
      node('Relu'),
      node('Relu', 'ai.onnx'),
      node('X', 'my'),
      node('X', 'my'),
      node('Y', 'my'),
    ]) {
      facts.addNode(scope, each);
    }
    expect([...facts.operators]).toEqual([
      ['Relu', 2],
      ['my.X', 2],
      ['my.Y', 1],
    ]);
    expect(facts.customOperators).toEqual([
      { domain: 'my', opType: 'X' },
      { domain: 'my', opType: 'Y' },
    ]);
  });

  it('adds up elements, and lists a bounded number of tensors whose sizes cannot be', () => {
    const facts = createGraphFacts();
    const scope = facts.openScope(undefined);
    facts.addTable(scope, 'a', tensor([2, 3]));
    facts.addTable(scope, 'b', tensor([4]));
    expect(facts.parameterCount).toBe(10);
    expect(facts.badTensors).toEqual([]);
    facts.addTable(scope, 'almost', tensor([Number.MAX_SAFE_INTEGER]));
    expect(facts.badTensors).toEqual(['t']);
    for (let i = 0; i < 150; i += 1) facts.addTable(scope, 'c', tensor([-1], { name: `bad${i}` }));
    expect(facts.badTensors).toHaveLength(100);
    expect(facts.badTensors.slice(0, 3)).toEqual(['t', 'bad0', 'bad1']);
    expect(facts.parameterCount).toBe(10);
  });

  it.each([
    ['what is stated', { length: 5, offset: 10 }, 1, [100], 15],
    ['the elements, where nothing is stated', { length: undefined, offset: 10 }, 1, [100], 410],
    ['whole bytes of elements that are parts of one', { length: undefined, offset: 0 }, 22, [3], 2],
    ['nothing for strings', { length: undefined, offset: 7 }, 8, [3], 7],
    ['nothing for sizes that cannot be', { length: undefined, offset: 7 }, 1, [-1], 7],
  ])('needs of an external file %s', (_, { length, offset }, elementType, dims, needed) => {
    const facts = createGraphFacts();
    facts.addExternal(tensor(dims, { elementType, external: { location: 'w', offset, length } }));
    expect([...facts.external]).toEqual([['w', needed]]);
  });

  it('needs of an external file what its furthest tensor needs', () => {
    const facts = createGraphFacts();
    for (const [location, offset] of [
      ['w', 10],
      ['w', 90],
      ['w', 20],
      ['v', 1],
    ] as const) {
      facts.addExternal(tensor([1], { external: { location, offset, length: 4 } }));
    }
    facts.addExternal(tensor([1]));
    expect([...facts.external]).toEqual([
      ['w', 94],
      ['v', 5],
    ]);
  });

  it('refuses to keep more text than a model has', () => {
    const facts = createGraphFacts();
    const mebibyte = 'x'.repeat(2 ** 20);
    expect(facts.keep(mebibyte)).toBe(mebibyte);
    const keepAll = () => {
      for (let i = 0; i < 63; i += 1) facts.keep(mebibyte);
    };
    // Two bytes a character, and a hundred for what holds it: not quite 64 such texts fit into 128 MiB.
    expect(keepAll).toThrow(
      expect.objectContaining({
        code: 'INVALID_INPUT',
        message: 'the names in the model file take more memory than a model needs; it is not read',
        details: { where: 'graph', expected: 'at most 134217728 bytes' },
      }),
    );
    const roomy = createGraphFacts();
    for (let i = 0; i < 63; i += 1) roomy.keep(mebibyte);
  });

  it('charges for what nodes and tables keep, too', () => {
    const facts = createGraphFacts();
    const scope = facts.openScope(undefined);
    const large = 'x'.repeat(2 ** 20);
    const fill = () => {
      for (let i = 0; i < 70; i += 1) facts.addTable(scope, `${i}${large}`, tensor([1]));
    };
    expect(fill).toThrow('take more memory');
    const wide = createGraphFacts();
    const ranks = () => {
      for (let i = 0; i < 20_000; i += 1)
        wide.addTable(wide.openScope(undefined), '', tensor(Array<number>(1024).fill(1)));
    };
    expect(ranks).toThrow('take more memory');
  });

  it('keeps the table that gives an input its default', () => {
    const facts = createGraphFacts();
    const scope = facts.openScope(undefined);
    facts.addTable(scope, 'x', tensor([7]));
    facts.addInput(scope, 'x');
    facts.addInput(scope, 'y');
    expect([...scope.values]).toEqual([
      ['x', { kind: 'table', dims: [7] }],
      ['y', { kind: 'given' }],
    ]);
  });
});

describe('names', () => {
  it("show ONNX's own domain as it is called, and leave it out before an operator", () => {
    expect([domainName(''), domainName('ai.onnx'), domainName('x')]).toEqual(['ai.onnx', 'ai.onnx', 'x']);
    expect(operatorName('', 'Relu')).toBe('Relu');
    expect(operatorName('ai.onnx', 'Relu')).toBe('Relu');
    expect(operatorName('ai.onnx.ml', 'Scaler')).toBe('ai.onnx.ml.Scaler');
  });
});

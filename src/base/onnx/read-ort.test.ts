import { describe, expect, it } from 'vitest';
import { type Field, flatBuffer, type Table } from '../../../test/support/flatbuffer.ts';
import { readOrt } from './read-ort.ts';

/** Slots as in ort.fbs; written down here a second time, so that a slip in one place shows. */
const text = (value: string): Field => ({ text: value });
const int64 = (value: number): Field => ({ int64: value });

const tensor = (name: string, dims: readonly number[]): Table => ({
  0: text(name),
  2: { int64s: dims },
  3: { int32: 1 },
});

function node(
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  ...attributes: Table[]
): Table {
  return {
    2: text(''),
    5: text(opType),
    8: { texts: inputs },
    9: { texts: outputs },
    10: { tables: attributes },
  };
}

const size = (value: number): Table => ({ 0: { table: { 0: { int8: 1 }, 1: int64(value) } } });
const symbol = (name: string): Table => ({ 0: { table: { 0: { int8: 2 }, 2: text(name) } } });
const tensorType = (elementType: number, dims?: readonly Table[]): Table => ({
  1: { int8: 1 },
  2: {
    table: {
      0: { int32: elementType },
      ...(dims === undefined ? {} : { 1: { table: { 0: { tables: dims } } } }),
    },
  },
});
const sequenceOf = (element: Table): Table => ({ 1: { int8: 2 }, 2: { table: { 0: { table: element } } } });
const mapOf = (key: number, value: Table): Table => ({
  1: { int8: 3 },
  2: { table: { 0: { int32: key }, 1: { table: value } } },
});
const valueInfo = (name: string, type?: Table): Table => ({
  0: text(name),
  ...(type === undefined ? {} : { 2: { table: type } }),
});

interface GraphParts {
  readonly initializers?: readonly Table[];
  readonly sparse?: readonly Table[];
  readonly values?: readonly Table[];
  readonly nodes?: readonly Table[];
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
}

function graph({
  initializers = [],
  sparse = [],
  values = [],
  nodes = [],
  inputs = [],
  outputs = [],
}: GraphParts) {
  return {
    0: { tables: initializers },
    1: { tables: values },
    2: { tables: nodes },
    5: { texts: inputs },
    6: { texts: outputs },
    7: { tables: sparse },
  } satisfies Table;
}

function read(root: Table) {
  const bytes = flatBuffer(root, 'ORTM');
  return readOrt({
    sizeBytes: bytes.length,
    async read(target, position) {
      target.set(bytes.subarray(position, position + target.length));
    },
  });
}

const readModel = (model: Table) => read({ 0: text('6'), 1: { table: model } });
const readGraph = (parts: GraphParts) => readModel({ 7: { table: graph(parts) } });

describe('readOrt', () => {
  it('reads what the model says of itself', async () => {
    const model = await readModel({
      0: int64(9),
      1: { tables: [{ 0: text(''), 1: int64(17) }, { 0: text('ai.onnx.ml'), 1: int64(3) }, {}] },
      2: text('trainer'),
      3: text('1.2'),
      6: text('what it does'),
      7: { table: graph({}) },
      9: { tables: [{ 0: text('task'), 1: text('count') }, { 0: text('empty') }] },
    });
    expect(model).toMatchObject({
      ...{ format: 'ort', ortVersion: '6', graphName: '', description: 'what it does' },
      ...{ producerName: 'trainer', producerVersion: '1.2', irVersion: 9, inputs: [], outputs: [] },
      opsets: [
        { domain: 'ai.onnx', version: 17 },
        { domain: 'ai.onnx.ml', version: 3 },
        { domain: 'ai.onnx', version: 0 },
      ],
    });
    expect([...model.metadata]).toEqual([
      ['task', 'count'],
      ['empty', ''],
    ]);
    expect(model.functions.size).toBe(0);
  });

  it('has nothing to say of what is left out', async () => {
    const model = await readGraph({});
    expect(model).toMatchObject({ description: '', producerName: '', producerVersion: '', opsets: [] });
    expect(model.irVersion).toBeUndefined();
  });

  it.each([
    ['no model', { 0: text('6') }],
    ['no graph', { 0: text('6'), 1: { table: { 0: int64(8) } } }],
  ] as [string, Table][])('refuses a file with %s', async (_, root) => {
    await expect(read(root)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: 'the ORT file has no graph in it; convert the ONNX model again',
      details: { where: 'graph' },
    });
  });

  it('reads types and shapes of inputs and outputs, in their order', async () => {
    const { inputs, outputs } = await readGraph({
      inputs: ['rows', 'scalar', 'ranked by nobody', 'nowhere'],
      outputs: ['list', 'table', 'sparse one', 'untyped'],
      values: [
        valueInfo('table', sequenceOf(mapOf(7, tensorType(1)))),
        valueInfo('inner', tensorType(1, [size(1)])),
        valueInfo('rows', tensorType(1, [symbol('N'), size(4), {}, { 0: { table: {} } }])),
        valueInfo('scalar', tensorType(7, [])),
        valueInfo('ranked by nobody', tensorType(11)),
        valueInfo('list', sequenceOf(tensorType(8))),
        valueInfo('sparse one', { 1: { int8: 9 }, 2: { table: {} } }),
        valueInfo('untyped'),
      ],
    });
    expect(inputs.map(({ name, type }) => [name, type.kind, type.text, type.dims])).toEqual([
      ['rows', 'tensor', 'float32', ['N', 4, undefined, undefined]],
      ['scalar', 'tensor', 'int64', []],
      ['ranked by nobody', 'tensor', 'float64', undefined],
      ['nowhere', 'unknown', 'unknown', undefined],
    ]);
    expect(outputs.map(({ name, type }) => [name, type.text])).toEqual([
      ['list', 'seq(string)'],
      ['table', 'seq(map(int64,float32))'],
      ['sparse one', 'unknown'],
      ['untyped', 'unknown'],
    ]);
  });

  it('takes a dimension that is a size without a number as 0', async () => {
    const { inputs } = await readGraph({
      inputs: ['x'],
      values: [valueInfo('x', tensorType(1, [{ 0: { table: { 0: { int8: 1 } } } }]))],
    });
    expect(inputs[0]?.type.dims).toEqual([0]);
  });

  it('gives up on types inside types inside types', async () => {
    const nested = (depth: number): Table => (depth === 0 ? tensorType(1) : sequenceOf(nested(depth - 1)));
    const typeOf = async (depth: number) =>
      (await readGraph({ inputs: ['x'], values: [valueInfo('x', nested(depth))] })).inputs[0]?.type.text;
    expect(await typeOf(32)).toBe(`${'seq('.repeat(32)}float32${')'.repeat(32)}`);
    expect(await typeOf(33)).toBe(`${'seq('.repeat(33)}unknown${')'.repeat(33)}`);
  });

  it('counts initializers, sparse ones with all of their dimensions but only what is stored', async () => {
    const model = await readGraph({
      initializers: [tensor('words', [20, 4])],
      sparse: [{ 0: { table: tensor('few', [3]) }, 2: { int64s: [7, 5] } }, { 2: { int64s: [9] } }],
      nodes: [node('Gather', ['few', 'ids'], ['y'])],
      inputs: ['ids'],
    });
    expect([...model.initializers]).toEqual(['words', 'few']);
    expect(model.facts.parameterCount).toBe(83);
    expect([...model.indexLimits]).toEqual([['ids', 7]]);
  });

  it('takes the tensor of a Constant node for a table, and that of no other node', async () => {
    const withTensor = (opType: string) =>
      readGraph({
        nodes: [
          node(opType, [], ['made'], { 0: text('value'), 6: { table: tensor('', [6, 2]) } }),
          node('Gather', ['made', 'ids'], ['y']),
        ],
        inputs: ['ids'],
      });
    const constant = await withTensor('Constant');
    expect([...constant.indexLimits]).toEqual([['ids', 6]]);
    expect(constant.facts.parameterCount).toBe(12);
    const other = await withTensor('ConstantOfShape');
    expect([...other.indexLimits]).toEqual([]);
    expect(other.facts.parameterCount).toBe(0);
  });

  it('survives a Constant without an output', async () => {
    const model = await readGraph({
      nodes: [
        node('Constant', [], [], { 6: { table: tensor('', [2]) } }),
        node('Gather', ['', 'ids'], ['y']),
      ],
      inputs: ['ids'],
    });
    expect(model.facts.parameterCount).toBe(2);
  });

  it('reads the integers that say where a lookup looks, and no others', async () => {
    const limitsWith = async (opType: string, inputs: string[], ...attributes: Table[]) =>
      Object.fromEntries(
        (
          await readGraph({
            initializers: [tensor('words', [20, 4])],
            nodes: [
              node(opType, inputs, ['picked'], ...attributes),
              node('Gather', ['words', 'picked'], ['y']),
            ],
            inputs: ['ids'],
          })
        ).indexLimits,
      );
    const axis = (value: number): Table => ({ 0: text('axis'), 4: int64(value) });
    expect(await limitsWith('Gather', ['words', 'ids'])).toEqual({ ids: 20 });
    expect(await limitsWith('Gather', ['words', 'ids'], axis(1))).toEqual({ ids: 4 });
    expect(await limitsWith('Gather', ['words', 'ids'], { 0: text('axes'), 4: int64(1) })).toEqual({
      ids: 20,
    });
    expect(await limitsWith('Gather', ['words', 'ids'], { 0: text('axis') })).toEqual({ ids: 20 });
    expect(await limitsWith('Cast', ['ids'], { 0: text('to'), 4: int64(7) })).toEqual({ ids: 20 });
    expect(await limitsWith('Cast', ['ids'], { 0: text('to'), 4: int64(9) })).toEqual({});
    const quantized = node('GatherBlockQuantized', ['words', 'ids'], ['y'], {
      0: text('gather_axis'),
      4: int64(1),
    });
    const model = await readGraph({
      initializers: [tensor('words', [20, 4])],
      nodes: [{ ...quantized, 2: text('com.microsoft') }],
      inputs: ['ids'],
    });
    expect([...model.indexLimits]).toEqual([['ids', 4]]);
  });

  it('goes into the graphs of attributes, which see the values around them', async () => {
    const branch = (name: string, dims: readonly number[]): Table =>
      graph({ initializers: [tensor(name, dims)], nodes: [node('Gather', [name, 'ids'], ['picked'])] });
    const one = await readGraph({
      nodes: [node('If', ['flag'], ['y'], { 0: text('then_branch'), 7: { table: branch('a', [9, 1]) } })],
      inputs: ['ids'],
    });
    expect(Object.fromEntries(one.facts.operators)).toEqual({ If: 1, Gather: 1 });
    expect([...one.indexLimits]).toEqual([['ids', 9]]);
    expect([...one.initializers]).toEqual([]);
    const several = await readGraph({
      nodes: [node('If', ['flag'], ['y'], { 12: { tables: [branch('a', [9, 1]), branch('b', [5, 2])] } })],
      inputs: ['ids'],
    });
    expect(Object.fromEntries(several.facts.operators)).toEqual({ If: 1, Gather: 2 });
    expect([...several.indexLimits]).toEqual([['ids', 5]]);
  });

  it('refuses graphs inside graphs without end', async () => {
    const nested = (depth: number): Table =>
      depth === 0 ? graph({}) : graph({ nodes: [node('If', [], [], { 7: { table: nested(depth - 1) } })] });
    const readNested = (depth: number) => readModel({ 7: { table: nested(depth) } });
    expect((await readNested(32)).facts.operators.get('If')).toBe(32);
    await expect(readNested(33)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: 'the ORT file has more than 32 graphs inside each other',
      details: { where: 'graph' },
    });
  });
});

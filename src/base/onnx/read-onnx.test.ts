import { describe, expect, it } from 'vitest';
import { type Message, packed, protobuf } from '../../../test/support/protobuf.ts';
import { mayBeginOnnx, readOnnx } from './read-onnx.ts';

/** Field numbers as in onnx.proto; written down here a second time, so that a slip in one place shows. */
const tensor = (name: string, dims: readonly number[], rest: Message = {}): Message => ({
  1: packed(...dims),
  2: 1,
  8: name,
  ...rest,
});
const entry = (key: string, value: string): Message => ({ 1: key, 2: value });

function node(
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  rest: Message = {},
): Message {
  return { 1: inputs, 2: outputs, 4: opType, ...rest };
}

const tensorType = (elementType: number, dims?: readonly Message[]): Message => ({
  1: { 1: elementType, ...(dims === undefined ? {} : { 2: { 1: dims } }) },
});
const valueInfo = (name: string, type?: Message): Message => ({
  1: name,
  ...(type === undefined ? {} : { 2: type }),
});

function readModel(model: Message) {
  const bytes = protobuf(model);
  return readOnnx({
    sizeBytes: bytes.length,
    async read(target, position) {
      target.set(bytes.subarray(position, position + target.length));
    },
  });
}

const readGraph = (graph: Message) => readModel({ 1: 8, 7: graph });

describe('readOnnx', () => {
  it('reads what the model says of itself', async () => {
    const model = await readModel({
      1: 9,
      2: 'trainer',
      3: '1.2',
      4: 'org.example',
      5: 77,
      6: 'what it does',
      7: { 2: 'graph name' },
      8: [{ 2: 17 }, { 1: 'ai.onnx.ml', 2: 3 }, { 1: '' }],
      14: [entry('task', 'count'), entry('empty', '')],
      25: [{ 1: 'Swish', 10: 'my.domain', 7: node('Sigmoid', ['x'], ['y']) }, { 1: 'Plain' }],
    });
    expect(model).toMatchObject({
      ...{ format: 'onnx', ortVersion: undefined, graphName: 'graph name', description: 'what it does' },
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
    expect([...model.functions]).toEqual(['my.domain.Swish', 'Plain']);
    expect(Object.fromEntries(model.facts.operators)).toEqual({ Sigmoid: 1 });
  });

  it('has nothing to say of what is left out', async () => {
    expect(await readModel({ 7: {} })).toMatchObject({
      ...{ graphName: '', description: '', producerName: '', producerVersion: '', opsets: [] },
      irVersion: undefined,
    });
  });

  it('refuses a node with more inputs than any has', async () => {
    // An empty name each: its tag and a length of 0.
    const names = Buffer.alloc(2 * 1_000_001, Uint8Array.of(10, 0));
    await expect(readGraph({ 1: names })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: 'the ONNX file is damaged: a node at byte 10 has more than 1000000 inputs or outputs',
      details: { where: 'byte 10' },
    });
  });

  it('passes over fields that it does not know, and known ones of another wire type', async () => {
    const model = await readModel({
      1: 8,
      2: 5,
      6: 5,
      7: { 2: 5, 5: 5, 11: 5, 99: 'x', 1: 7 },
      8: 5,
      14: 5,
      99: 'later version',
    });
    expect(model).toMatchObject({ irVersion: 8, producerName: '', graphName: '', opsets: [], inputs: [] });
  });

  it('refuses a file without a graph, and says how to make one', async () => {
    await expect(readModel({ 1: 8, 7: 5 })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message:
        'the file has no ONNX graph in it; if it is a TensorFlow model, convert it with `python -m tf2onnx.convert --saved-model DIR --output model.onnx`, else export or download it again',
      details: { where: 'graph' },
    });
  });

  it('reads types and shapes of inputs and outputs, in their order', async () => {
    const { inputs, outputs } = await readGraph({
      11: [
        valueInfo(
          'rows',
          tensorType(1, [{ 2: 'N' }, { 1: 4 }, {}, { 2: '' }, { 1: -1 }, { 3: 'denotation' }]),
        ),
        valueInfo('scalar', tensorType(7, [])),
        valueInfo('ranked by nobody', tensorType(11)),
        valueInfo('untyped'),
        valueInfo('of nothing', {}),
      ],
      12: [
        valueInfo('sparse', { 8: { 1: 1, 2: { 1: [{ 1: 3 }] } } }),
        valueInfo('list', { 4: { 1: tensorType(8) } }),
        valueInfo('maybe', { 9: { 1: tensorType(9) } }),
        valueInfo('table', { 5: { 1: 7, 2: tensorType(1) } }),
        valueInfo('tables', { 4: { 1: { 5: { 1: 8, 2: { 4: { 1: tensorType(6) } } } } } }),
        valueInfo('opaque', { 7: { 1: 'a', 2: 'b' } }),
        valueInfo('bare list', { 4: {} }),
        valueInfo('bare table', { 5: {} }),
        valueInfo('later', { 77: {} }),
      ],
    });
    expect(inputs.map(({ name, type }) => [name, type.kind, type.text, type.dims])).toEqual([
      ['rows', 'tensor', 'float32', ['N', 4, undefined, '', -1, undefined]],
      ['scalar', 'tensor', 'int64', []],
      ['ranked by nobody', 'tensor', 'float64', undefined],
      ['untyped', 'unknown', 'unknown', undefined],
      ['of nothing', 'unknown', 'unknown', undefined],
    ]);
    expect(outputs.map(({ name, type }) => [name, type.kind, type.text, type.dims])).toEqual([
      ['sparse', 'sparse_tensor', 'sparse(float32)', [3]],
      ['list', 'sequence', 'seq(string)', undefined],
      ['maybe', 'optional', 'optional(bool)', undefined],
      ['table', 'map', 'map(int64,float32)', undefined],
      ['tables', 'sequence', 'seq(map(string,seq(int32)))', undefined],
      ['opaque', 'unknown', 'opaque', undefined],
      ['bare list', 'sequence', 'seq(unknown)', undefined],
      ['bare table', 'map', 'map(undefined,unknown)', undefined],
      ['later', 'unknown', 'unknown', undefined],
    ]);
  });

  it('counts initializers, sparse ones by what they store, and knows their dimensions', async () => {
    const model = await readGraph({
      5: [tensor('words', [20, 4]), tensor('scalar', []), { 1: [3, 2], 8: 'one by one' }],
      15: [{ 1: tensor('few', [3]), 3: packed(7, 5) }, { 3: packed(9) }],
      1: node('Gather', ['few', 'ids'], ['y']),
      11: valueInfo('ids'),
    });
    expect([...model.initializers]).toEqual(['words', 'scalar', 'one by one', 'few', '']);
    expect(model.facts.parameterCount).toBe(80 + 1 + 6 + 3);
    expect([...model.indexLimits]).toEqual([['ids', 7]]);
  });

  it('refuses tensors and shapes of more dimensions than there can be', async () => {
    const ones = (count: number) => Array<number>(count).fill(1);
    await expect(readGraph({ 5: tensor('x', ones(1024)) })).resolves.toBeDefined();
    await expect(readGraph({ 5: tensor('x', ones(1025)) })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(
        /^the ONNX file is damaged: a tensor at byte \d+ has more than 1024 dimensions$/,
      ),
      details: { where: expect.stringMatching(/^byte \d+$/) },
    });
    const shaped = (rank: number) => ({
      11: valueInfo(
        'x',
        tensorType(
          1,
          ones(rank).map((size) => ({ 1: size })),
        ),
      ),
    });
    await expect(readGraph(shaped(1024))).resolves.toBeDefined();
    await expect(readGraph(shaped(1025))).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(/a shape at byte \d+ has more than 1024 dimensions/),
    });
  });

  it('notes which files of external data are needed, and how long they must be', async () => {
    const external = (name: string, dims: readonly number[], ...entries: Message[]) =>
      tensor(name, dims, { 13: entries, 14: 1 });
    const model = await readGraph({
      5: [
        external('a', [10], entry('location', 'w.bin')),
        external('b', [10], entry('location', 'w.bin'), entry('offset', '100'), entry('length', '8')),
        external('c', [2], entry('location', 'other.bin'), entry('length', ''), entry('checksum', 'ff')),
        tensor('here', [5], { 13: entry('location', 'unused.bin'), 14: 0 }),
        external('nowhere', [1]),
      ],
    });
    expect(Object.fromEntries(model.facts.external)).toEqual({ 'w.bin': 108, 'other.bin': 8, '': 4 });
  });

  it.each([
    ['offset', '-1'],
    ['length', '1e3'],
    ['length', '12345678901234567'],
    ['offset', ' 1'],
  ])('refuses external data with %s %j', async (what, text) => {
    const broken = tensor('w', [1], { 13: [entry('location', 'w.bin'), entry(what, text)], 14: 1 });
    await expect(readGraph({ 5: broken })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: `the external data of tensor 'w' has a wrong ${what}; save the model again`,
      details: { where: `external_data.${what}`, expected: 'a whole number of bytes', got: text },
    });
  });

  it('takes the tensor of a Constant node for a table, and that of no other node', async () => {
    const withTensor = (rest: Message, opType = 'Constant') =>
      readGraph({
        1: [node(opType, [], ['made'], rest), node('Gather', ['made', 'ids'], ['y'])],
        11: valueInfo('ids'),
      });
    const value = { 5: { 1: 'value', 5: tensor('', [6, 2]) } };
    expect(Object.fromEntries((await withTensor(value)).indexLimits)).toEqual({ ids: 6 });
    expect((await withTensor(value)).facts.parameterCount).toBe(12);
    expect(Object.fromEntries((await withTensor({ ...value, 7: 'ai.onnx' })).indexLimits)).toEqual({
      ids: 6,
    });
    expect(Object.fromEntries((await withTensor({ ...value, 7: 'other' })).indexLimits)).toEqual({});
    expect(Object.fromEntries((await withTensor(value, 'ConstantOfShape')).indexLimits)).toEqual({});
    expect((await withTensor(value, 'ConstantOfShape')).facts.parameterCount).toBe(0);
    const sparse = { 5: { 1: 'sparse_value', 22: { 1: tensor('', [2]), 3: packed(8, 3) } } };
    expect(Object.fromEntries((await withTensor(sparse)).indexLimits)).toEqual({ ids: 8 });
    expect((await withTensor(sparse)).facts.parameterCount).toBe(2);
    expect((await readGraph({ 1: node('Constant', [], [], value) })).facts.parameterCount).toBe(12);
    expect((await readGraph({ 1: node('Constant', [], ['y']) })).facts.parameterCount).toBe(0);
  });

  it('notes the files of tensors in any attribute', async () => {
    const stored = (file: string): Message => tensor('', [4], { 13: entry('location', file), 14: 1 });
    const model = await readGraph({
      1: node('TreeEnsemble', [], ['y'], {
        5: [
          { 5: stored('a.bin') },
          { 10: stored('b.bin') },
          { 22: { 1: stored('c.bin') } },
          { 23: { 1: stored('d.bin') } },
        ],
      }),
    });
    expect(Object.fromEntries(model.facts.external)).toEqual({
      'a.bin': 16,
      'b.bin': 16,
      'c.bin': 16,
      'd.bin': 16,
    });
  });

  it('reads the integers that say where a lookup looks, and no others', async () => {
    const limitsWith = async (first: Message) =>
      Object.fromEntries(
        (
          await readGraph({
            5: tensor('words', [20, 4]),
            1: [first, node('Gather', ['words', 'picked'], ['y'])],
            11: valueInfo('ids'),
          })
        ).indexLimits,
      );
    const gather = (...attributes: Message[]) =>
      node('Gather', ['words', 'ids'], ['picked'], { 5: attributes });
    expect(await limitsWith(gather())).toEqual({ ids: 20 });
    expect(await limitsWith(gather({ 1: 'axis', 3: 1 }))).toEqual({ ids: 4 });
    expect(await limitsWith(gather({ 1: 'axis', 3: -1 }))).toEqual({ ids: 4 });
    expect(await limitsWith(gather({ 1: 'axes', 3: 1 }))).toEqual({ ids: 20 });
    expect(await limitsWith(gather({ 1: 'axis' }))).toEqual({ ids: 20 });
    const cast = (to: number) => node('Cast', ['ids'], ['picked'], { 5: { 1: 'to', 3: to } });
    expect(await limitsWith(cast(7))).toEqual({ ids: 20 });
    expect(await limitsWith(cast(9))).toEqual({});
    const quantized = { 5: { 1: 'gather_axis', 3: 1 }, 7: 'com.microsoft' };
    expect(await limitsWith(node('GatherBlockQuantized', ['words', 'ids'], ['z'], quantized))).toEqual({
      ids: 4,
    });
  });

  it('goes into the graphs of attributes, which see the values around them and keep their own', async () => {
    const branch = (name: string, dims: readonly number[]): Message => ({
      2: 'inner',
      1: node('Gather', [name, 'ids'], ['picked']),
      5: tensor(name, dims),
      11: valueInfo('own'),
      12: valueInfo('picked'),
    });
    const model = await readGraph({
      1: node('If', ['flag'], ['y'], {
        5: [{ 1: 'then', 6: branch('a', [9, 1]) }, { 11: branch('b', [5, 2]) }],
      }),
      2: 'outer',
      11: valueInfo('ids'),
    });
    expect(Object.fromEntries(model.facts.operators)).toEqual({ If: 1, Gather: 2 });
    expect([...model.indexLimits]).toEqual([['ids', 5]]);
    expect(model.graphName).toBe('outer');
    expect([...model.initializers]).toEqual([]);
    expect(model.inputs.map(({ name }) => name)).toEqual(['ids']);
    expect(model.outputs).toEqual([]);
  });

  it('names operators by their domains, and lists those that nobody has', async () => {
    const model = await readGraph({
      1: [
        node('Relu', ['x'], ['y']),
        node('Relu', ['x'], ['y'], { 7: 'ai.onnx' }),
        node('Rotate', ['x'], ['y'], { 7: 'my.custom' }),
        node('Rotate', ['x'], ['y'], { 7: 'my.custom' }),
      ],
    });
    expect(Object.fromEntries(model.facts.operators)).toEqual({ Relu: 2, 'my.custom.Rotate': 2 });
    expect(model.facts.customOperators).toEqual([{ domain: 'my.custom', opType: 'Rotate' }]);
  });

  it('lists tensors whose dimensions cannot be', async () => {
    const model = await readGraph({
      5: [tensor('negative', [-1]), tensor('vast', [2 ** 40, 2 ** 40]), tensor('fine', [2])],
    });
    expect(model.facts.badTensors).toEqual(['negative', 'vast']);
    expect(model.facts.parameterCount).toBe(2);
  });
});

describe('mayBeginOnnx', () => {
  it.each([
    ['the IR version', [0x08, 0x09], true],
    ['the graph', [0x3a, 0x05], true],
    ['the producer', [0x12, 0x00], true],
    ['metadata', [0x72, 0x00], true],
    ['a function, whose tag has two bytes', [0xca, 0x01], true],
    ['the model version', [0x28, 0x01], true],
    ['the IR version as text', [0x0a, 0x00], false],
    ['the graph as a number', [0x38, 0x00], false],
    ['a field that there is not', [0x4a, 0x00], false],
    ['field 0', [0x00, 0x00], false],
    ['a zip archive', [0x50, 0x4b], false],
  ])('%s', (_, [first = 0, second = 0], expected) => {
    expect(mayBeginOnnx(first, second)).toBe(expected);
  });
});

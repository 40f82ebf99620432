import { describe, expect, it } from 'vitest';
import { packed, protobuf } from '../../../test/support/protobuf.ts';
import { decodeModelInferRequest } from './decode-protobuf.ts';

type Message = Parameters<typeof protobuf>[0];

const decode = (message: Message) => decodeModelInferRequest({ bytes: protobuf(message) });
const bytesOf = (array: ArrayBufferView) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

const x = { 1: 'x', 2: 'INT32', 3: packed(2), 5: { 2: packed(1, 2) } };
const rawX = { 1: 'x', 2: 'INT32', 3: packed(2) };
const raw = bytesOf(Int32Array.of(1, 2));
const text = { 3: 'a' };

describe('decodeModelInferRequest', () => {
  it('reads every field', () => {
    expect(
      decode({
        1: 'm',
        2: '3',
        3: 'id',
        4: [
          { 1: 'a', 2: text },
          { 1: 'b', 2: { 2: 5 } },
        ],
        5: [x, { 1: 'y', 2: 'BYTES', 3: packed(1, 1), 5: { 8: 'text' } }],
        6: [
          { 1: 'p' },
          {
            1: 'q',
            2: [
              { 1: 'classification', 2: { 2: 3 } },
              { 1: 'o', 2: text },
            ],
          },
        ],
      }),
    ).toEqual({
      model: 'm',
      version: '3',
      id: 'id',
      parameters: { a: 'a', b: 5 },
      inputs: [
        { name: 'x', datatype: 'INT32', shape: [2], data: Int32Array.of(1, 2) },
        {
          name: 'y',
          datatype: 'BYTES',
          shape: [1, 1],
          data: { bytes: new Uint8Array(Buffer.from('text')), offsets: Uint32Array.of(0, 4) },
        },
      ],
      outputs: [
        { name: 'p', binary: true, classification: undefined, parameters: {} },
        { name: 'q', binary: true, classification: 3, parameters: { o: 'a' } },
      ],
      binaryByDefault: true,
    });
  });

  it('reads an empty message, and passes over what it does not know', () => {
    for (const message of [{}, { 9: 'unknown', 30: 1 }]) {
      expect(decode(message)).toEqual({
        model: '',
        version: '',
        id: '',
        parameters: {},
        inputs: [],
        outputs: undefined,
        binaryByDefault: true,
      });
    }
    const known = decode({ 5: { ...x, 6: 'unknown', 9: 5 }, 6: { 1: 'y', 3: 'unknown' } });
    expect(known.inputs[0]?.shape).toEqual([2]);
    expect(known.outputs?.[0]?.name).toBe('y');
  });

  it('reads shapes packed, one by one, and both', () => {
    const of = (shape: Message[number]) =>
      decode({ 5: { 1: 'x', 2: 'INT32', 3: shape, 5: { 2: packed(1, 2, 3, 4, 5, 6) } } }).inputs[0]?.shape;
    expect(of(packed(2, 3))).toEqual([2, 3]);
    expect(of([2, 3])).toEqual([2, 3]);
    expect(of([packed(1, 2), 3, packed(1)])).toEqual([1, 2, 3, 1]);
  });

  it('gives raw contents to the inputs by their order, as views where they are aligned', () => {
    const y = { 1: 'y', 2: 'UINT8', 3: packed(1) };
    const { inputs } = decode({ 5: [rawX, y], 7: [raw, Uint8Array.of(9)] });
    expect(inputs.map(({ data }) => data)).toEqual([Int32Array.of(1, 2), Uint8Array.of(9)]);
    const own = Int32Array.of(3, 4);
    const taken = decodeModelInferRequest({
      bytes: protobuf({ 5: [rawX, y], 7: Uint8Array.of(9) }),
      rawContents: [bytesOf(own)],
    });
    expect(taken.inputs.map(({ data }) => data)).toEqual([own, Uint8Array.of(9)]);
    expect(taken.inputs[0]?.data).toHaveProperty('buffer', own.buffer);
  });

  it('takes the empty contents that some clients send beside raw ones', () => {
    expect(decode({ 5: { ...rawX, 5: {} }, 7: raw }).inputs[0]?.data).toEqual(Int32Array.of(1, 2));
  });

  it('takes a classification of 0 as the tensor itself', () => {
    const { outputs } = decode({ 6: { 1: 'y', 2: { 1: 'classification', 2: { 2: 0 } } } });
    expect(outputs).toEqual([{ name: 'y', binary: true, classification: undefined, parameters: {} }]);
  });

  it('tells the model before anything else is found wrong', () => {
    const told: string[][] = [];
    const bytes = protobuf({ 1: 'm', 2: '1', 3: 'id', 4: { 1: 'no value' } });
    expect(() => decodeModelInferRequest({ bytes }, (...names) => told.push(names))).toThrow();
    expect(told).toEqual([['m', '1', 'id']]);
  });

  it.each<[string, Message, string]>([
    ['a parameter without a value', { 4: { 1: 'a' } }, "parameters['a']: expected a value"],
    [
      'a parameter of an input without a value',
      { 5: { ...x, 4: { 1: 'a' } } },
      "inputs[0].parameters['a']: expected a value",
    ],
    [
      'a parameter of an output without a value',
      { 6: { 1: 'y', 2: { 1: 'a' } } },
      "outputs[0].parameters['a']: expected a value",
    ],
    [
      'too few raw contents',
      { 5: [rawX, { ...rawX, 1: 'y' }], 7: raw },
      'raw_input_contents: expected 2, one for each of inputs, got 1',
    ],
    [
      'raw contents without inputs',
      { 7: raw },
      'raw_input_contents: expected 0, one for each of inputs, got 1',
    ],
    ['raw contents of another length', { 5: rawX, 7: raw.subarray(1) }, 'raw_input_contents[0]: expected'],
    [
      'both kinds of contents',
      { 5: x, 7: raw },
      'inputs[0].contents: expected no typed contents beside raw_input_contents; send the elements once, got both',
    ],
    ['a name twice', { 5: [x, x] }, "inputs[1].name: expected every name once, got 'x' twice"],
    ['no name', { 5: { 2: 'INT32', 3: packed(0) } }, 'inputs[0].name: expected a name, got none'],
    ['an empty name', { 5: { ...x, 1: '' } }, 'inputs[0].name: expected a name, got none'],
    ['a field without a number', { 0: 1 }, 'message: expected a protobuf message'],
    ['contents that are cut short', { 5: Uint8Array.of(0x2a, 3, 1) }, 'inputs[0].contents: expected a whole'],
    ['an unknown datatype', { 5: { ...x, 2: 'FP8' } }, 'inputs[0].datatype: expected one of BOOL, UINT8'],
    ['no datatype', { 5: { 1: 'x' } }, "got ''"],
    [
      'a negative dimension',
      { 5: { ...x, 3: packed(1, -1) } },
      'inputs[0].shape[1]: expected an integer from 0 to 2^53 - 1, got another',
    ],
    [
      'a dimension of 2^53',
      { 5: { ...x, 3: packed(2 ** 53) } },
      'inputs[0].shape[0]: expected an integer from 0',
    ],
    [
      'more elements than can be counted',
      { 5: { ...x, 3: packed(2 ** 30, 2 ** 30) } },
      'inputs[0].shape: expected a number of elements below 2^53, got [1073741824,1073741824]',
    ],
    [
      'too many dimensions',
      { 5: { ...x, 3: packed(...new Array<number>(33).fill(1)) } },
      'inputs[0].shape: expected at most 32 dimensions, got more',
    ],
    [
      'a shape that is cut short',
      { 5: { ...x, 3: Uint8Array.of(0x80) } },
      'inputs[0]: expected a whole protobuf',
    ],
    ['contents that are missing', { 5: rawX }, 'inputs[0].contents.int_contents: expected 2 elements'],
    ['an output without a name', { 6: {} }, 'outputs[0].name: expected a name, got none'],
    [
      'an output twice',
      { 6: [{ 1: 'y' }, { 1: 'y' }] },
      "outputs[1].name: expected every name once, got 'y' twice",
    ],
    [
      'a classification that is no count',
      { 6: { 1: 'y', 2: { 1: 'classification', 2: { 2: -1 } } } },
      'outputs[0].parameters.classification: expected a non-negative integer, got -1',
    ],
  ])('refuses %s', (_, message, words) => {
    let refused: unknown;
    try {
      decode(message);
    } catch (thrown) {
      refused = thrown;
    }
    expect(refused).toMatchObject({ name: 'NimifyError', code: 'INVALID_INPUT' });
    expect((refused as Error).message).toContain(words);
  });

  it('takes as many dimensions as there may be', () => {
    const ones = new Array<number>(32).fill(1);
    const contents = { 5: { 2: packed(7) } };
    expect(decode({ 5: { ...rawX, 3: packed(...ones), ...contents } }).inputs[0]?.shape).toEqual(ones);
  });

  it('refuses shared memory', () => {
    const region = { 1: 'shared_memory_region', 2: text };
    for (const [message, where] of [
      [{ 5: { ...x, 4: region } }, 'inputs[0].parameters.shared_memory_region'],
      [{ 6: { 1: 'y', 2: region } }, 'outputs[0].parameters.shared_memory_region'],
    ] as const) {
      expect(() => decode(message)).toThrow(
        expect.objectContaining({ code: 'UNSUPPORTED', details: { where } }),
      );
    }
  });

  it.each<[string, Message, number]>([
    ['parameters', { 1: 'a', 2: text }, 4],
    ['inputs', {}, 5],
    ['outputs', {}, 6],
    ['raw_input_contents', {}, 7],
  ])('refuses more than 16384 %s before it looks at them', (where, entry, field) => {
    const one = protobuf({ [field]: entry });
    const many = (count: number) => Buffer.concat(new Array<Uint8Array>(count).fill(one));
    const refusal = `${where}: expected at most 16384 entries, got more`;
    expect(() => decodeModelInferRequest({ bytes: many(16_385) })).toThrow(
      expect.objectContaining({ message: refusal }),
    );
    let refused = '';
    try {
      decodeModelInferRequest({ bytes: many(16_384) });
    } catch (thrown) {
      refused = (thrown as Error).message;
    }
    expect(refused).not.toBe(refusal);
  });

  it.each([
    ['model_name', 1],
    ['model_version', 2],
    ['id', 3],
    ['parameters', 4],
    ['inputs', 5],
    ['outputs', 6],
    ['raw_input_contents', 7],
    ['message', 9],
  ])('says that %s is cut short', (where, field) => {
    expect(() => decodeModelInferRequest({ bytes: Uint8Array.of((field << 3) | 2, 3, 1) })).toThrow(
      `${where}: expected a whole protobuf message, got one that ends within a field (byte 2)`,
    );
  });

  it('names the input or output in which a field is cut short', () => {
    for (const [where, field] of [
      ['inputs[1]', 5],
      ['outputs[1]', 6],
    ] as const) {
      const whole = { 5: { ...rawX, 3: packed(0) }, 6: { 1: 'y' } }[field];
      expect(() => decode({ [field]: [whole, Uint8Array.of(0x0a, 3, 1)] })).toThrow(
        `${where}: expected a whole protobuf message`,
      );
    }
    expect(() => decode({ 5: { ...rawX, 5: [Uint8Array.of(0x12, 3, 1)] } })).toThrow(
      'inputs[0].contents.int_contents: expected a whole protobuf message',
    );
  });
});

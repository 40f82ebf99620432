import { describe, expect, it } from 'vitest';
import { toStrings } from '../tensor/bytes.ts';
import { halfToFloat } from '../tensor/half.ts';
import type { BytesData, Tensor } from '../tensor/tensor.ts';
import { decodeInferRequest } from './decode.ts';

const encode = (value: unknown) =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));

const input = { name: 'x', shape: [2, 2], datatype: 'FP32' };

describe('a JSON request', () => {
  it('as in the protocol', () => {
    const decoded = decodeInferRequest(
      encode({
        id: '42',
        parameters: { timeout: 5, my_text: 'a', flag: true, binary_data_output: true },
        inputs: [
          { name: 'input0', shape: [2, 2], datatype: 'UINT32', data: [1, 2, 3, 4] },
          { name: 'input1', shape: [3], datatype: 'BOOL', data: [true, false, true] },
          { name: 'text', shape: [1, 2], datatype: 'BYTES', data: [['a', 'ü']] },
          { name: 'long', shape: [], datatype: 'INT64', data: 7 },
        ],
        outputs: [
          { name: 'output0', parameters: { binary_data: false, classification: 3, other: 1 } },
          { name: 'output1' },
          { name: 'output2', parameters: { classification: 0 } },
        ],
      }),
      undefined,
    );
    expect(decoded.id).toBe('42');
    expect(decoded.parameters).toEqual({ timeout: 5, my_text: 'a', flag: true });
    expect(decoded.binaryByDefault).toBe(true);
    expect(decoded.outputs).toEqual([
      { name: 'output0', binary: false, classification: 3, parameters: { other: 1 } },
      { name: 'output1', binary: undefined, classification: undefined, parameters: {} },
      { name: 'output2', binary: undefined, classification: undefined, parameters: {} },
    ]);
    const [numbers, booleans, texts, scalar] = decoded.inputs as [Tensor, Tensor, Tensor, Tensor];
    expect(numbers).toEqual({
      name: 'input0',
      datatype: 'UINT32',
      shape: [2, 2],
      data: Uint32Array.of(1, 2, 3, 4),
    });
    expect(booleans.data).toEqual(Uint8Array.of(1, 0, 1));
    expect(toStrings(texts.data as BytesData)).toEqual(['a', 'ü']);
    expect(scalar).toEqual({ name: 'long', datatype: 'INT64', shape: [], data: BigInt64Array.of(7n) });
  });

  it('with the least there can be', () => {
    expect(decodeInferRequest(encode('{"inputs":[]}'), undefined)).toEqual({
      id: '',
      parameters: {},
      inputs: [],
      outputs: undefined,
      binaryByDefault: false,
    });
  });

  it('with members in any order, nulls, and members that nobody knows', () => {
    const text = `{"model_name":"m","outputs":null,"inputs":[
      {"data":[[1,2],[3,4]],"extra":{"a":[1,{"b":null}]},"shape":[2,2],"parameters":null,"datatype":"FP32","name":"x"},
      {"shape":[1],"data":["s"],"name":"y","datatype":"BYTES"}],"id":null,"raw":[1e400]}`;
    const { inputs, outputs, id } = decodeInferRequest(encode(text), undefined);
    expect(inputs[0]!.data).toEqual(Float32Array.of(1, 2, 3, 4));
    expect(toStrings(inputs[1]!.data as BytesData)).toEqual(['s']);
    expect([outputs, id]).toEqual([undefined, '']);
  });

  it('with escaped keys, and keys that objects have anyway', () => {
    const text = '{"\\u0069nputs":[],"parameters":{"__proto__":1,"constructor":"c"}}';
    const { parameters } = decodeInferRequest(encode(text), undefined);
    expect(Object.entries(parameters)).toEqual([
      ['__proto__', 1],
      ['constructor', 'c'],
    ]);
  });

  it('gives text answers where its parameters do not ask for binary ones', () => {
    const { binaryByDefault } = decodeInferRequest(encode({ inputs: [], parameters: { a: 1 } }), undefined);
    expect(binaryByDefault).toBe(false);
  });

  it('with outputs whose members are null, or nobody knows', () => {
    const outputs = [
      { extra: { binary_data: true }, name: 'a' },
      { parameters: null, name: 'b' },
    ];
    expect(decodeInferRequest(encode({ inputs: [], outputs }), undefined).outputs).toEqual(
      ['a', 'b'].map((name) => ({ name, binary: undefined, classification: undefined, parameters: {} })),
    );
  });

  it('with no outputs listed asks for all', () => {
    expect(decodeInferRequest(encode({ inputs: [], outputs: [] }), undefined).outputs).toBeUndefined();
  });

  it.each([
    [[0], []],
    [[2, 0], []],
    [
      [2, 0],
      [[], []],
    ],
    [
      [2, 0, 3],
      [[], []],
    ],
    [[0, 3], []],
    [[9007199254740991, 0], []],
  ])('of shape %j without elements', (shape, data) => {
    const { inputs } = decodeInferRequest(encode({ inputs: [{ ...input, shape, data }] }), undefined);
    expect(inputs[0]).toMatchObject({ shape, data: new Float32Array(0) });
  });

  it('may write a dimension of 0 as -0', () => {
    const text = '{"inputs":[{"name":"x","datatype":"FP32","shape":[-0],"data":[]}]}';
    expect(decodeInferRequest(encode(text), undefined).inputs[0]?.shape).toEqual([0]);
  });

  it('gives FP16 as the bits of the nearest', () => {
    const fp16 = { name: 'x', shape: [2], datatype: 'FP16', data: [0.5, 0.1] };
    const { inputs } = decodeInferRequest(encode({ inputs: [fp16] }), undefined);
    expect(Array.from(inputs[0]!.data as Uint16Array, halfToFloat)).toEqual([0.5, 0.0999755859375]);
  });
});
describe('more entries than any model has', () => {
  const entries = (count: number, entry: (index: number) => string) =>
    Array.from({ length: count }, (_, index) => entry(index)).join(',');
  const tensor = (index: number) => `{"name":"${index}","datatype":"BOOL","shape":[0],"data":[]}`;
  const MANY = 16_385;

  it.each([
    ['keys', `{${entries(MANY, (i) => `"k${i}":0`)}}`, 'body: expected at most 16384 keys'],
    [
      'parameters',
      `{"parameters":{${entries(MANY, (i) => `"${i}":0`)}}}`,
      'parameters: expected at most 16384',
    ],
    [
      'inputs',
      `{"inputs":[${entries(MANY, tensor)}]}`,
      'inputs[16384].name: expected at most 16384 entries, got more',
    ],
    [
      'outputs',
      `{"inputs":[],"outputs":[${entries(MANY, (i) => `{"name":"${i}"}`)}]}`,
      'outputs[16384].name: expected at most 16384 entries',
    ],
  ])('%s are refused', (_, text, message) => {
    expect(() => decodeInferRequest(encode(text), undefined)).toThrow(message);
  });

  it('are 16 384', () => {
    const decoded = decodeInferRequest(encode(`{"inputs":[${entries(MANY - 1, tensor)}]}`), undefined);
    expect(decoded.inputs).toHaveLength(16_384);
  });
});

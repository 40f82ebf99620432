import { describe, expect, it } from 'vitest';
import { NimifyError } from '../errors/nimify-error.ts';
import { toStrings } from '../tensor/bytes.ts';
import { halfToFloat } from '../tensor/half.ts';
import type { BytesData, Tensor } from '../tensor/tensor.ts';
import { decodeInferRequest } from './decode.ts';

const encode = (value: unknown) =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));

/** A body with a JSON header and binary data, at `offset` in a larger buffer as servers receive it. */
function binaryBody(header: unknown, sections: readonly ArrayBufferView[], offset = 0) {
  const json = encode(header);
  const parts = sections.map((view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  const body = Buffer.concat([Buffer.alloc(offset), json, ...parts]).subarray(offset);
  return { body, headerLength: json.length };
}

function decodeBinary(header: unknown, sections: readonly ArrayBufferView[]) {
  const { body, headerLength } = binaryBody(header, sections);
  return decodeInferRequest(body, headerLength);
}

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

const withInput = (fields: object) => ({ inputs: [{ ...input, data: [1, 2, 3, 4], ...fields }] });

describe('a wrong JSON request', () => {
  it.each([
    ['', 'body: expected a JSON object, got no bytes'],
    ['  ', 'body: expected an object, got the end of the JSON (byte 2)'],
    ['\ufeff{"inputs":[]}', 'body: expected JSON without a byte order mark'],
    ['[]', 'body: expected an object, got an array (byte 0)'],
    ['hello', 'body: expected an object, got the word hello (byte 0)'],
    ['{}', "body: expected a member 'inputs'"],
    ['{"inputs":[]} {}', 'body: expected nothing after the JSON object, got an object (byte 14)'],
    ['{"inputs":[],"inputs":[]}', "expected every key once, got the key 'inputs' twice"],
    ['{"inputs":[],}', 'body: expected a key in quotes'],
    ['{"inputs":{}}', 'inputs: expected an array, got an object (byte 10)'],
    ['{"inputs":[],"id":5}', 'id: expected a string, got the number 5 (byte 18)'],
    ['{"inputs":[],"parameters":[]}', 'parameters: expected an object, got an array'],
    ['{"inputs":[],"x":[01]}', 'x: expected a JSON value, got the number 01'],
    [
      { inputs: [], parameters: { a: null } },
      'parameters.a: expected a string, a number or a boolean, got the word null',
    ],
    [
      { inputs: [], parameters: { a: [1] } },
      'parameters.a: expected a string, a number or a boolean, got an array',
    ],
    [
      '{"inputs":[],"parameters":{"sequence_id":9007199254740993}}',
      'parameters.sequence_id: expected a number that a double holds',
    ],
    ['{"inputs":[],"parameters":{"a":1e400}}', 'parameters.a: expected a number that a double holds'],
    [
      { inputs: [], parameters: { binary_data_output: 1 } },
      'parameters.binary_data_output: expected true or false, got 1',
    ],
    ['{"inputs":[{"x":[01]}]}', 'inputs[0].x: expected a JSON value, got the number 01'],
    ['{"inputs":[{"data":[01]}]}', 'inputs[0].data: expected a JSON value, got the number 01'],
    ['{"outputs":[{"x":[01]}]}', 'outputs[0].x: expected a JSON value, got the number 01'],
    [{ inputs: [5] }, 'inputs[0]: expected an object, got the number 5'],
    [{ inputs: [{}] }, "inputs[0]: expected a member 'name', got none"],
    [{ inputs: [{ name: 'x', shape: [1], data: [1] }] }, "inputs[0]: expected a member 'datatype', got none"],
    [
      { inputs: [{ name: 'x', datatype: 'FP32', data: [1] }] },
      "inputs[0]: expected a member 'shape', got none",
    ],
    [
      { inputs: [input] },
      "inputs[0]: expected the elements in 'data', or 'binary_data_size' in 'parameters', got neither",
    ],
    [withInput({ name: 1 }), 'inputs[0].name: expected a string, got the number 1'],
    [withInput({ datatype: 'float32' }), 'inputs[0].datatype: expected one of BOOL, UINT8'],
    [withInput({ datatype: 'float32' }), "FP64, BYTES, got 'float32'"],
    [withInput({ parameters: 5 }), 'inputs[0].parameters: expected an object, got the number 5'],
    [
      withInput({ parameters: { a: null } }),
      'inputs[0].parameters.a: expected a string, a number or a boolean',
    ],
    [withInput({ datatype: 5 }), 'inputs[0].datatype: expected a string, got the number 5'],
    [withInput({ shape: [2, -1] }), 'inputs[0].shape[1]: expected a non-negative integer, got the number -1'],
    [withInput({ shape: [2.5] }), 'inputs[0].shape[0]: expected a non-negative integer, got the number 2.5'],
    [withInput({ shape: ['2'] }), 'inputs[0].shape[0]: expected a non-negative integer, got a string'],
    [withInput({ shape: [2, '2'] }), 'inputs[0].shape[1]: expected a non-negative integer, got a string'],
    [withInput({ shape: 4 }), 'inputs[0].shape: expected an array, got the number 4'],
    ['{"inputs":[{"shape":[18446744073709551615]}]}', 'inputs[0].shape[0]: expected a non-negative integer'],
    [
      withInput({ shape: [4294967296, 4294967296] }),
      'inputs[0].shape: expected a number of elements below 2^53, got [4294967296,4294967296]',
    ],
    [
      withInput({ shape: new Array(33).fill(1) }),
      'inputs[0].shape: expected at most 32 dimensions, got more',
    ],
    [withInput({ data: [1, 2, 3] }), 'inputs[0].data: expected 4 elements (shape [2,2]), got 3'],
    [withInput({ data: [1, 2, 3, 4, 5] }), 'inputs[0].data: expected 4 elements (shape [2,2]), got 5'],
    [
      withInput({
        shape: [2, 3],
        data: [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
      }),
      'inputs[0].data: expected a flat array, or arrays nested as the shape [2,3] says, got arrays nested as [3,2]',
    ],
    [
      withInput({
        shape: [2, 2, 1],
        data: [
          [1, 2],
          [3, 4],
        ],
      }),
      'nested as the shape [2,2,1] says, got arrays nested as [2,2]',
    ],
    [
      withInput({ shape: [2, 0], data: [[], [], []] }),
      'nested as the shape [2,0] says, got arrays nested as [3,0]',
    ],
    [
      withInput({ data: [[1, 2], [3]] }),
      'inputs[0].data[1]: expected 2 elements as in the arrays before, got 1',
    ],
    [withInput({ data: [1, 'two', 3, 4] }), 'inputs[0].data[1]: expected a number (FP32), got a string'],
    [
      withInput({ parameters: { binary_data_size: 16 } }),
      "inputs[0]: expected either 'data' or 'binary_data_size', got both",
    ],
    [
      { inputs: [{ ...input, parameters: { binary_data_size: 16 } }] },
      'inputs[0].parameters.binary_data_size: expected the header Inference-Header-Content-Length',
    ],
    [
      { inputs: [{ ...input, parameters: { binary_data_size: -1 } }] },
      'inputs[0].parameters.binary_data_size: expected a non-negative integer, got -1',
    ],
    [
      { inputs: [{ ...input, parameters: { binary_data_size: '16' } }] },
      'binary_data_size: expected a non-negative integer, got a string',
    ],
    [
      {
        inputs: [
          { ...input, data: [1, 2, 3, 4] },
          { ...input, data: [1, 2, 3, 4] },
        ],
      },
      "inputs[1].name: expected every name once, got 'x' twice",
    ],
    [
      { inputs: [], outputs: [{ name: 'a' }, { name: 'a' }] },
      "outputs[1].name: expected every name once, got 'a' twice",
    ],
    [{ inputs: [], outputs: [{}] }, "outputs[0]: expected a member 'name'"],
    [{ inputs: [], outputs: {} }, 'outputs: expected an array, got an object'],
    [{ inputs: [], outputs: [{ name: 5 }] }, 'outputs[0].name: expected a string, got the number 5'],
    [
      { inputs: [], outputs: [{ name: 'a', parameters: [] }] },
      'outputs[0].parameters: expected an object, got an array',
    ],
    [{ inputs: [], outputs: ['a'] }, 'outputs[0]: expected an object, got a string'],
    [
      { inputs: [], outputs: [{ name: 'a', parameters: { binary_data: 1 } }] },
      'outputs[0].parameters.binary_data: expected true or false, got 1',
    ],
    [
      { inputs: [], outputs: [{ name: 'a', parameters: { classification: 1.5 } }] },
      'outputs[0].parameters.classification: expected a non-negative integer, got 1.5',
    ],
  ])('%j is refused', (body, message) => {
    const decode = () => decodeInferRequest(encode(body), undefined);
    expect(decode).toThrow(NimifyError);
    expect(decode).toThrow(message);
  });

  it('says where, what was expected and what came', () => {
    try {
      decodeInferRequest(encode(withInput({ data: [1, 2, 3] })), undefined);
      expect.unreachable();
    } catch (thrown) {
      const { code, details } = thrown as NimifyError;
      expect(code).toBe('INVALID_INPUT');
      expect(details).toEqual({ where: 'inputs[0].data', expected: '4 elements (shape [2,2])', got: '3' });
    }
  });

  it.each([
    [{}, 'body', 'inputs'],
    [{ inputs: [{}] }, 'inputs[0]', 'name'],
    [{ inputs: [input] }, 'inputs[0]', "'data' or 'binary_data_size'"],
    [withInput({ parameters: { binary_data_size: 16 } }), 'inputs[0]', undefined],
    [
      { inputs: [{ ...input, parameters: { binary_data_size: 16 } }] },
      'inputs[0].parameters.binary_data_size',
      'Inference-Header-Content-Length',
    ],
  ])('says of %j where and what was expected', (body, where, expected) => {
    const details = expected === undefined ? { where } : { where, expected };
    expect(() => decodeInferRequest(encode(body), undefined)).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', details }),
    );
  });

  it('about shared memory is not offered', () => {
    const parameters = { shared_memory_region: 'r', shared_memory_byte_size: 16 };
    for (const [body, entry] of [
      [{ inputs: [{ ...input, parameters }] }, 'inputs[0]'],
      [{ inputs: [], outputs: [{ name: 'o', parameters }] }, 'outputs[0]'],
    ] as const) {
      expect(() => decodeInferRequest(encode(body), undefined)).toThrow(
        expect.objectContaining({
          code: 'UNSUPPORTED',
          message: expect.stringContaining('shared memory'),
          details: { where: `${entry}.parameters.shared_memory_region` },
        }),
      );
    }
  });
});

describe('a binary request', () => {
  const floats = Float32Array.of(1, 2, 3, 4);
  const sized = (binary_data_size: number, fields: object = {}) => ({
    ...input,
    parameters: { binary_data_size },
    ...fields,
  });

  it('is views over the body where aligned, and a copy where not', () => {
    for (let offset = 0; offset < 4; offset++) {
      const { body, headerLength } = binaryBody({ inputs: [sized(16)] }, [floats], offset);
      const data = decodeInferRequest(body, headerLength).inputs[0]!.data as Float32Array;
      expect(data).toEqual(floats);
      const aligned = (body.byteOffset + headerLength) % 4 === 0;
      expect(data.buffer === body.buffer).toBe(aligned);
    }
  });

  it('mixes tensors in JSON with binary ones, whose sections follow in their order', () => {
    const { inputs } = decodeBinary(
      {
        inputs: [
          { name: 'a', datatype: 'INT16', shape: [1], parameters: { binary_data_size: 2 } },
          { name: 'b', datatype: 'INT16', shape: [1], data: [7] },
          { name: 'c', datatype: 'BYTES', shape: [3], parameters: { binary_data_size: 15 } },
          { name: 'd', datatype: 'FP32', shape: [0, 4], parameters: { binary_data_size: 0 } },
          { name: 'e', datatype: 'INT64', shape: [], parameters: { binary_data_size: 8 } },
        ],
      },
      [
        Int16Array.of(-5),
        Uint8Array.of(1, 0, 0, 0, 0xff, 0, 0, 0, 0, 2, 0, 0, 0, 0x61, 0x62),
        BigInt64Array.of(-9n),
      ],
    );
    expect(inputs.map((tensor) => tensor.data)).toEqual([
      Int16Array.of(-5),
      Int16Array.of(7),
      { bytes: Uint8Array.of(0xff, 0x61, 0x62), offsets: Uint32Array.of(0, 1, 1, 3) },
      new Float32Array(0),
      BigInt64Array.of(-9n),
    ]);
  });

  it('may have a header length and no binary tensor', () => {
    expect(decodeBinary({ inputs: [{ ...input, data: [1, 2, 3, 4] }] }, []).inputs[0]!.data).toEqual(floats);
  });

  const bytesInput = (size: number, count: number) => sized(size, { datatype: 'BYTES', shape: [count] });
  it.each([
    [
      { inputs: [sized(12)] },
      [floats],
      'inputs[0].parameters.binary_data_size: expected 16 bytes (4 elements of FP32), got 12 bytes',
    ],
    [
      { inputs: [sized(16)] },
      [floats, floats],
      'inputs: expected binary_data_size of all tensors to add up to the 32 bytes after the JSON, got 16 bytes',
    ],
    [{ inputs: [] }, [floats], 'inputs: expected binary_data_size of all tensors to add up to the 16 bytes'],
    [{ inputs: [sized(20)] }, [floats], 'expected at most the 16 bytes that are left of the body, got 20'],
    [
      { inputs: [sized(16), sized(16, { name: 'y' })] },
      [floats],
      'inputs[1].parameters.binary_data_size: expected at most the 0 bytes',
    ],
    [
      { inputs: [sized(2, { datatype: 'BOOL', shape: [2] })] },
      [Uint8Array.of(1, 2)],
      'expected bytes of value 0 or 1 (BOOL), got 2 at element 1',
    ],
    [
      { inputs: [bytesInput(4, 2)] },
      [Uint8Array.of(0, 0, 0, 0)],
      'expected 2 elements of BYTES, each with a length of 4 bytes before it, got 4 bytes',
    ],
    [
      { inputs: [bytesInput(6, 1)] },
      [Uint8Array.of(3, 0, 0, 0, 1, 2)],
      'expected element 0 within the section',
    ],
    [
      { inputs: [bytesInput(8, 1)] },
      [Uint8Array.of(3, 0, 0, 0, 1, 2, 3, 4)],
      'expected 7 bytes (1 element of BYTES), got 8 bytes',
    ],
    [
      { inputs: [bytesInput(9, 2)] },
      [Uint8Array.of(5, 0, 0, 0, 1, 2, 3, 4, 5)],
      'expected 2 elements of BYTES, got 9 bytes that end in element 0',
    ],
    [
      { inputs: [bytesInput(4, 1)] },
      [Uint8Array.of(0xff, 0xff, 0xff, 0xff)],
      'expected element 0 within the section',
    ],
    [
      { inputs: [bytesInput(4, 1e15)] },
      [Uint8Array.of(0, 0, 0, 0)],
      'expected 1000000000000000 elements of BYTES',
    ],
  ])('%j is refused', (header, sections, message) => {
    expect(() => decodeBinary(header, sections)).toThrow(message);
  });

  it('is refused with a header length of 0', () => {
    expect(() => decodeInferRequest(encode('{"inputs":[]}'), 0)).toThrow(
      'body: expected a JSON object, got no bytes',
    );
  });

  it('is refused with a header length that is not within the body', () => {
    for (const headerLength of [-1, 1.5, Number.NaN, 100]) {
      expect(() => decodeInferRequest(encode('{"inputs":[]}'), headerLength)).toThrow(
        `Inference-Header-Content-Length: expected the length of the JSON within the body of 13 bytes, got ${headerLength}`,
      );
    }
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

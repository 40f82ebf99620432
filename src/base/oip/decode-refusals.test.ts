import { describe, expect, it } from 'vitest';
import { NimifyError } from '../errors/nimify-error.ts';
import { decodeInferRequest } from './decode.ts';

const encode = (value: unknown) =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));

const input = { name: 'x', shape: [2, 2], datatype: 'FP32' };

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

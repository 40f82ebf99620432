import { describe, expect, it } from 'vitest';
import { decodeInferResponse } from './decode-response.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const decode = (value: unknown) =>
  decodeInferResponse(bytes(typeof value === 'string' ? value : JSON.stringify(value)), undefined);

const output = (name: string, data: readonly number[]) => ({
  name,
  datatype: 'FP32',
  shape: [data.length],
  data,
});

/** What the error says: message and details. */
function refusalOf(value: unknown, headerLength?: number): unknown {
  const body = bytes(typeof value === 'string' ? value : JSON.stringify(value));
  try {
    decodeInferResponse(body, headerLength);
  } catch (thrown) {
    const { code, message, details } = thrown as { code: string; message: string; details: unknown };
    return { code, message, details };
  }
  throw new Error('it was taken');
}

describe('decodeInferResponse', () => {
  it('reads an answer as in the protocol, members in any order', () => {
    expect(
      decode({
        outputs: [output('y', [1, 2]), output('z', [])],
        parameters: { a: 1, flag: true, text: 'x' },
        id: '42',
        model_version: '3',
        model_name: 'm',
      }),
    ).toEqual({
      model: 'm',
      version: '3',
      id: '42',
      outputs: [
        { name: 'y', datatype: 'FP32', shape: [2], data: Float32Array.of(1, 2) },
        { name: 'z', datatype: 'FP32', shape: [0], data: new Float32Array(0) },
      ],
      parameters: { a: 1, flag: true, text: 'x' },
    });
  });

  it('passes over members that it does not know, and takes null for none', () => {
    expect(
      decode({
        model_name: null,
        id: null,
        model_version: null,
        parameters: null,
        future: { deep: [[1]] },
        outputs: [],
      }),
    ).toEqual({ model: '', version: '', id: '', outputs: [], parameters: {} });
  });

  it('takes the binary data behind the JSON', () => {
    const json = bytes(
      '{"outputs":[{"name":"y","datatype":"INT8","shape":[2],"parameters":{"binary_data_size":2}}]}',
    );
    const body = Buffer.concat([json, Uint8Array.of(5, 250)]);
    expect(decodeInferResponse(body, json.length).outputs).toEqual([
      { name: 'y', datatype: 'INT8', shape: [2], data: Int8Array.of(5, -6) },
    ]);
  });

  it.each([
    ['{}', "body: expected a member 'outputs' with the output tensors, got none"],
    ['{"outputs":null}', "body: expected a member 'outputs' with the output tensors, got none"],
    ['[]', 'body: '],
    ['{"outputs":[]} x', 'body: '],
    ['<html>', 'body: '],
    ['{"outputs":{}}', 'outputs: '],
    ['{"outputs":[5]}', 'outputs[0]: '],
    ['{"model_name":5}', 'model_name: '],
    ['{"model_version":5}', 'model_version: '],
    ['{"id":[]}', 'id: '],
    ['{"parameters":5}', 'parameters: '],
    ['{"parameters":{"a":[]}}', 'parameters.a: '],
    ['{"future":nul}', 'future: '],
  ])('says what is wrong with %s, and where', (text, message) => {
    expect(refusalOf(text)).toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(`^${message.replace(/[[\]]/g, '\\$&')}`),
      details: { where: message.split(': ')[0] },
    });
  });

  it('refuses two outputs of one name', () => {
    expect(refusalOf({ outputs: [output('y', []), output('y', [])] })).toMatchObject({
      message: "outputs[1].name: expected every name once, got 'y' twice",
    });
  });

  it('refuses what is left behind the last output', () => {
    expect(refusalOf('{"outputs":[]}tail', 14)).toMatchObject({
      code: 'INVALID_INPUT',
      details: { where: 'outputs' },
    });
  });
});

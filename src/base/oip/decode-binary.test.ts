import { describe, expect, it } from 'vitest';
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

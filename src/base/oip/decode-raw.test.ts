import { describe, expect, it } from 'vitest';
import { decodeRawRequest } from './decode-raw.ts';

const bytesOf = (view: ArrayBufferView) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

describe('decodeRawRequest', () => {
  it.each([
    [[-1], [6]],
    [
      [-1, 3],
      [2, 3],
    ],
    [
      [2, -1],
      [2, 3],
    ],
    [
      [2, 3],
      [2, 3],
    ],
    [
      [6, 1],
      [6, 1],
    ],
  ])('fills the shape %j from the number of bytes', (shape, filled) => {
    const floats = Float32Array.of(1, 2, 3, 4, 5, 6);
    expect(decodeRawRequest(bytesOf(floats), { name: 'x', datatype: 'FP32', shape })).toEqual({
      id: '',
      parameters: {},
      inputs: [{ name: 'x', datatype: 'FP32', shape: filled, data: floats }],
      outputs: undefined,
      binaryByDefault: true,
    });
  });

  it('takes two dynamic dimensions for one row, if the first one counts rows', () => {
    const spec = { name: 'x', datatype: 'INT16', shape: [-1, -1] } as const;
    const body = bytesOf(Int16Array.of(1, 2, 3));
    expect(decodeRawRequest(body, { ...spec, batchAxis: 0 }).inputs[0]!.shape).toEqual([1, 3]);
    expect(() => decodeRawRequest(body, { ...spec, batchAxis: 'none' })).toThrow(
      "input 'x': expected at most one dynamic dimension for a raw body, got the shape [-1,-1]",
    );
    const threeDynamic = { ...spec, shape: [-1, -1, -1], batchAxis: 0 } as const;
    expect(() => decodeRawRequest(body, threeDynamic)).toThrow('at most one dynamic dimension');
  });

  it('takes a scalar, and nothing where nothing is meant', () => {
    const scalar = decodeRawRequest(bytesOf(BigInt64Array.of(5n)), {
      name: 'x',
      datatype: 'INT64',
      shape: [],
    });
    expect(scalar.inputs[0]).toMatchObject({ shape: [], data: BigInt64Array.of(5n) });
    const empty = new Uint8Array(0);
    expect(decodeRawRequest(empty, { name: 'x', datatype: 'FP32', shape: [-1, 4] }).inputs[0]!.shape).toEqual(
      [0, 4],
    );
    expect(decodeRawRequest(empty, { name: 'x', datatype: 'FP32', shape: [-1, 0] }).inputs[0]!.shape).toEqual(
      [0, 0],
    );
  });

  it.each([[[1]], [[-1]], [[-1, 1]], [[1, 1]], [[]]])(
    'takes the whole body for one element of BYTES of shape %j',
    (shape) => {
      const body = Buffer.from('427');
      const [tensor] = decodeRawRequest(body, { name: 't', datatype: 'BYTES', shape }).inputs;
      expect(tensor!.shape).toEqual(shape.map(() => 1));
      expect(tensor!.data).toEqual({ bytes: new Uint8Array(body), offsets: Uint32Array.of(0, 3) });
    },
  );

  it('refuses what does not fit', () => {
    const body = new Uint8Array(10);
    const raw = (datatype: 'FP32' | 'BYTES', shape: number[]) => () =>
      decodeRawRequest(body, { name: 'x', datatype, shape });
    expect(raw('FP32', [-1, 2])).toThrow(
      "input 'x': expected a multiple of 8 bytes (FP32 of shape [-1,2]), got 10 bytes",
    );
    expect(raw('FP32', [2])).toThrow("input 'x': expected 8 bytes (2 elements of FP32), got 10 bytes");
    expect(raw('FP32', [-1, 0])).toThrow('expected 0 bytes');
    expect(raw('BYTES', [-1, -1])).toThrow(
      "input 'x': expected a raw body only where the shape holds one element of BYTES",
    );
    expect(raw('BYTES', [2])).toThrow('one element of BYTES');
  });
});

import { describe, expect, it } from 'vitest';
import { toStrings } from '../base/tensor/bytes.ts';
import type { BytesData, Tensor } from '../base/tensor/tensor.ts';
import type { TextTensor } from './contract.ts';
import { toTensors } from './input-tensors.ts';

describe('toTensors', () => {
  it('packs text and bytes, and leaves all else as it is', () => {
    const number: Tensor = { name: 'n', datatype: 'FP32', shape: [2], data: Float32Array.of(1, 2) };
    const packed: Tensor = {
      name: 'p',
      datatype: 'BYTES',
      shape: [1],
      data: { bytes: Uint8Array.of(120), offsets: Uint32Array.of(0, 1) },
    };
    const text: TextTensor = { name: 't', datatype: 'BYTES', shape: [2, 1], data: ['é', Buffer.from('b')] };
    const [first, second, third] = toTensors([number, packed, text]);
    expect(first?.data).toBe(number.data);
    expect(second?.data).toBe(packed.data);
    expect(toStrings(third?.data as BytesData)).toEqual(['é', 'b']);
    expect(third).toMatchObject({ name: 't', datatype: 'BYTES', shape: [2, 1] });
    expect(toTensors([{ name: 'u', datatype: 'UINT8', shape: [2], data: Buffer.from('ab') }])).toHaveLength(
      1,
    );
  });

  it.each([
    [
      'another array than the datatype has',
      { datatype: 'FP32', shape: [1], data: new Float64Array(1) },
      'a Float32Array (FP32), got Float64Array',
    ],
    [
      'floats for halves',
      { datatype: 'FP16', shape: [1], data: new Float32Array(1) },
      'a Uint16Array with the bits of (FP16)',
    ],
    ['a plain array', { datatype: 'FP32', shape: [1], data: [1] }, 'got Array'],
    [
      'numbers for texts',
      { datatype: 'BYTES', shape: [1], data: [1] },
      'inputs[0].data[0]: expected a string or a Uint8Array, got Number',
    ],
    [
      'an object that is no texts',
      { datatype: 'BYTES', shape: [1], data: { bytes: [], offsets: [] } },
      'strings or Uint8Arrays (BYTES)',
    ],
    [
      'too few elements',
      { datatype: 'INT8', shape: [2, 2], data: new Int8Array(3) },
      '4 elements as the shape [2,2] says, got 3',
    ],
    [
      'too many texts',
      { datatype: 'BYTES', shape: [1], data: ['a', 'b'] },
      '1 elements as the shape [1] says, got 2',
    ],
    [
      'a shape that is none',
      { datatype: 'INT8', shape: [-1], data: new Int8Array(1) },
      'inputs[0].shape: expected whole numbers',
    ],
    [
      'a datatype of another world',
      { datatype: 'float', shape: [1], data: new Float32Array(1) },
      'inputs[0].datatype: expected one of BOOL',
    ],
    ['nothing', { datatype: 'FP32', shape: [1], data: undefined }, 'got Undefined'],
  ])('refuses %s', (_, fields, message) => {
    const input = { name: 'x', ...fields } as unknown as Tensor;
    expect(() => toTensors([input])).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', message: expect.stringContaining(message) }),
    );
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { NimifyError } from '../base/errors/nimify-error.ts';
import { isBytesData, type TensorData } from '../base/tensor/tensor.ts';
import { readNpy } from './npy.ts';

function bytesOf(name: string): Uint8Array {
  return readFileSync(new URL(`../../test/fixtures/npy/${name}.npy`, import.meta.url));
}

function read(name: string) {
  const { datatype, shape, data } = readNpy(bytesOf(name), 'x.npy');
  return { datatype, shape, values: valuesOf(data) };
}

function valuesOf(data: TensorData): unknown[] {
  if (!isBytesData(data)) return Array.from<unknown>(data);
  const { bytes, offsets } = data;
  return Array.from({ length: offsets.length - 1 }, (_, at) =>
    Buffer.from(bytes.subarray(offsets[at], offsets[at + 1])).toString(),
  );
}

describe('readNpy', () => {
  it.each([
    ['float32', 'FP32', [2, 3], [0, 0.5, 1, 1.5, 2, 2.5]],
    ['fortran', 'INT16', [2, 3, 4], Array.from({ length: 24 }, (_, at) => at)],
    ['big_endian', 'INT32', [3], [1, -2, 70000]],
    ['bool', 'BOOL', [3], [1, 0, 1]],
    ['int64', 'INT64', [2], [2n ** 63n - 1n, -(2n ** 63n)]],
    ['uint64', 'UINT64', [1], [2n ** 64n - 1n]],
    ['half', 'FP16', [2], [0x3c00, 0xb800]],
    ['scalar', 'FP64', [], [7.25]],
    ['empty', 'FP32', [0, 4], []],
    ['text', 'BYTES', [4], ['hello', '', 'Où', '😀x']],
    ['text_big_endian', 'BYTES', [2, 1], ['ab', 'c']],
    ['text_fortran', 'BYTES', [2, 2], ['a', 'b', 'c', 'd']],
    ['bytes', 'BYTES', [3], ['abc', 'z', '']],
    ['version2', 'UINT8', [2], [1, 2]],
    ['version3', 'UINT8', [2], [1, 2]],
  ] as const)('reads what NumPy wrote: %s', (name, datatype, shape, values) => {
    expect(read(name)).toEqual({ datatype, shape, values });
  });

  it.each([
    ['record', /record array/],
    ['complex', /dtype '<c16'/],
    ['date', /dtype '<M8\[D\]'/],
    ['object', /objects are pickled/],
  ] as const)('refuses what is no tensor: %s', (name, message) => {
    expect(() => read(name)).toThrow(message);
  });

  it('refuses a cut file and one with bytes left over', () => {
    const whole = bytesOf('float32');
    expect(() => readNpy(whole.subarray(0, -1), 'x.npy')).toThrow(/24 bytes of elements.*got 23 bytes/);
    expect(() => readNpy(Buffer.concat([whole, whole]), 'x.npy')).toThrow(NimifyError);
  });

  it('refuses a shape that no file could hold, before it allocates anything', () => {
    const forged = (shape: string, descr: string): Buffer => {
      const header = Buffer.from(`{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }\n`);
      const lead = Buffer.from([
        0x93,
        0x4e,
        0x55,
        0x4d,
        0x50,
        0x59,
        1,
        0,
        header.length & 255,
        header.length >> 8,
      ]);
      return Buffer.concat([lead, header]);
    };
    expect(() => readNpy(forged('999999999,999999999', '<f4'), 'x.npy')).toThrow(NimifyError);
    expect(() => readNpy(forged('4000000000,', '<U0'), 'x.npy')).toThrow(NimifyError);
    expect(readNpy(forged('3,', '<U0'), 'x.npy').shape).toEqual([3]);
  });
});

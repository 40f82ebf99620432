import { beforeAll, describe, expect, it } from 'vitest';
import { toBytesData, toStrings } from '../../base/tensor/bytes.ts';
import { ARRAY_OF, DATATYPES, type Datatype } from '../../base/tensor/datatype.ts';
import { sliceRows } from '../../base/tensor/rows.ts';
import type { BytesData, Tensor } from '../../base/tensor/tensor.ts';
import { loadRuntime, type Runtime } from './runtime.ts';
import { fromOrtTensor, toDatatype, toOrtTensor } from './tensors.ts';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await loadRuntime();
});

function texts(...strings: string[]): Tensor {
  return { name: 't', datatype: 'BYTES', shape: [strings.length], data: toBytesData(strings) };
}

function rawTexts(...elements: number[][]): Tensor {
  const offsets = Uint32Array.from([0, ...elements.map((_, at) => elements.slice(0, at + 1).flat().length)]);
  return {
    name: 't',
    datatype: 'BYTES',
    shape: [elements.length],
    data: { bytes: Uint8Array.from(elements.flat()), offsets },
  };
}

describe('toOrtTensor and fromOrtTensor', () => {
  const passed = DATATYPES.filter((datatype): datatype is Exclude<Datatype, 'BYTES' | 'BF16'> => {
    return datatype !== 'BYTES' && datatype !== 'BF16';
  });

  it.each(passed)(
    'pass %s as it is, without a copy, scalars and tensors without elements too',
    (datatype) => {
      for (const shape of [[2, 3], [], [0, 4], [2, 0]]) {
        const count = shape.reduce((product, size) => product * size, 1);
        const data = new ARRAY_OF[datatype](new ArrayBuffer(64), 8, count);
        const made = toOrtTensor(runtime, { name: 'x', datatype, shape, data });
        expect(made.dims).toEqual(shape);
        const back = fromOrtTensor('y', made);
        expect(back).toEqual({ name: 'y', datatype, shape, data });
        expect((back.data as Uint8Array).buffer).toBe(data.buffer);
      }
    },
  );

  it('pass every bit pattern of FP16', () => {
    const data = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);
    const made = toOrtTensor(runtime, { name: 'x', datatype: 'FP16', shape: [65_536], data });
    expect(made.data).toBe(data);
    expect(fromOrtTensor('x', made).data).toEqual(data);
  });

  it('pass text', () => {
    const tensor = texts('plain', '', 'é 漢 🦙', '\ufeffmark');
    const made = toOrtTensor(runtime, tensor);
    expect(made.data).toEqual(['plain', '', 'é 漢 🦙', '\ufeffmark']);
    expect(toStrings(fromOrtTensor('t', made).data as BytesData)).toEqual(made.data);
  });

  it('pass rows of a larger text tensor', () => {
    const rows = sliceRows(texts('one', 'zwölf', 'three'), 1, 3);
    expect(toOrtTensor(runtime, rows).data).toEqual(['zwölf', 'three']);
    expect(toOrtTensor(runtime, sliceRows(texts('a'), 1, 1)).data).toEqual([]);
  });

  it.each<[string, Tensor, string]>([
    ['bytes that are no UTF-8', rawTexts([0x61], [0xff, 0xfe]), 'element 1 is no valid UTF-8'],
    ['a character cut in two', rawTexts([0xc3], [0xa9]), 'element 0 is no valid UTF-8'],
    ['a zero byte, where text would end', rawTexts([0x61], [0x62, 0, 0x63]), 'element 1 holds a zero byte'],
  ])('refuse %s rather than change it', (_, tensor, text) => {
    expect(() => toOrtTensor(runtime, tensor)).toThrow(text);
  });

  it('copy shared memory, which the native side refuses', () => {
    const shared = new Float32Array(new SharedArrayBuffer(8)) as unknown as Float32Array<ArrayBuffer>;
    shared[1] = 2;
    const made = toOrtTensor(runtime, { name: 'x', datatype: 'FP32', shape: [2], data: shared });
    expect((made.data as Float32Array).buffer).toBeInstanceOf(ArrayBuffer);
    expect((made.data as Float32Array)[1]).toBe(2);
  });

  it('know no BF16 and no 4-bit integers', () => {
    const tensor: Tensor = { name: 'x', datatype: 'BF16', shape: [1], data: new Uint16Array(1) };
    expect(() => toOrtTensor(runtime, tensor)).toThrow('no BF16');
    expect(['int4', 'uint4', 'bfloat16'].map(toDatatype)).toEqual([undefined, undefined, undefined]);
  });
});

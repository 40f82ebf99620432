import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { floatToBfloat16, floatToHalf } from '../tensor/half.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** More than are written before the program for many is made, so that it writes those of a second tensor. */
const COUNT = 70_000;
const values = Float32Array.from({ length: COUNT }, (_, index) => Math.fround((index - 1000) / 7));
const halves = Uint16Array.from(values, (value) => floatToHalf(value / 100));
const bfloats = Uint16Array.from(values, floatToBfloat16);

const TENSORS: readonly Tensor[] = [
  { name: 'y', datatype: 'FP32', shape: [COUNT], data: values },
  { name: 'y', datatype: 'FP16', shape: [COUNT], data: halves },
  { name: 'y', datatype: 'BF16', shape: [COUNT], data: bfloats },
  { name: 'y', datatype: 'FP32', shape: [2, 35_000], data: values },
  { name: 'y', datatype: 'FP32', shape: [35_000, 2], data: values },
  { name: 'y', datatype: 'FP32', shape: [1025], data: values.subarray(0, 1025) },
  { name: 'y', datatype: 'FP32', shape: [1024], data: values.subarray(100, 1124) },
  { name: 'y', datatype: 'FP32', shape: [17], data: values.subarray(0, 17) },
];

/** Each tensor's text, all written after one another by modules of their own. */
async function textsOf(tensors: readonly Tensor[], layout: 'flat' | 'nested'): Promise<readonly string[]> {
  vi.resetModules();
  const { createJsonWriter } = await import('./json-writer.ts');
  const { writeTensorJson } = await import('./tensor-json.ts');
  const writer = createJsonWriter();
  return tensors.map((tensor) => {
    writer.ascii('{"data":');
    writeTensorJson(tensor, writer, layout);
    writer.ascii('}');
    return Buffer.from(writer.take()).toString();
  });
}

beforeEach(() => {
  vi.resetModules();
});

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('many floats', () => {
  it.each(['flat', 'nested'] as const)('are written, %s, as without WebAssembly', async (layout) => {
    const many = await textsOf([...TENSORS, ...TENSORS], layout);
    vi.stubGlobal('WebAssembly', undefined);
    const oneByOne = await textsOf(TENSORS, layout);
    expect(many).toEqual([...oneByOne, ...oneByOne]);
    const { data } = JSON.parse(oneByOne[0]!) as { readonly data: readonly number[] };
    expect(Float32Array.from(data)).toEqual(values);
  });

  it('make no program before there have been many', async () => {
    const modules = vi.fn();
    const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: { readonly Module: object } };
    const Module = new Proxy(WebAssembly.Module, {
      construct: (target, bytes: [Uint8Array]) => {
        modules();
        return Reflect.construct(target as new (bytes: Uint8Array) => object, bytes);
      },
    });
    vi.stubGlobal('WebAssembly', Object.assign(Object.create(WebAssembly), { Module }));
    const short = { ...TENSORS[0]!, shape: [15], data: values.subarray(0, 15) };
    await textsOf([...Array.from({ length: 5000 }, () => short), TENSORS[5]!], 'flat');
    expect(modules).not.toHaveBeenCalled();
    await textsOf([TENSORS[0]!, TENSORS[0]!], 'flat');
    expect(modules).toHaveBeenCalledOnce();
  });
});

import { describe, expect, it } from 'vitest';
import { toBytesData } from '../../base/tensor/bytes.ts';
import type { TypedArray } from '../../base/tensor/datatype.ts';
import type { Tensor } from '../../base/tensor/tensor.ts';
import { type Posted, prepareInputs, prepareOutputs } from './transfer.ts';

const LARGE = 64 * 1024;

function bytes(data: Uint8Array<ArrayBuffer>, name = 'x'): Tensor {
  return { name, datatype: 'UINT8', shape: [data.length], data };
}

/** What the other side gets, as `postMessage` would pass it. */
function post({ tensors, transfer }: Posted): Tensor[] {
  return structuredClone(tensors, { transfer: [...transfer] }) as Tensor[];
}

describe('prepareInputs', () => {
  it('hands over a large buffer with all tensors in it, where the request is its sole holder', () => {
    const body = new ArrayBuffer(LARGE * 2);
    const inputs = [
      bytes(new Uint8Array(body, 0, LARGE).fill(1), 'a'),
      bytes(new Uint8Array(body, LARGE).fill(2), 'b'),
    ];
    const ready = prepareInputs(inputs, true);
    expect(ready.transfer).toEqual([body]);
    const [a, b] = post(ready);
    expect(body.byteLength).toBe(0);
    expect((a!.data as Uint8Array)[0]).toBe(1);
    expect((b!.data as Uint8Array)[LARGE - 1]).toBe(2);
  });

  it('leaves every buffer whole that others hold', () => {
    const body = new Uint8Array(LARGE).fill(7);
    const [received] = post(prepareInputs([bytes(body)], false));
    expect(body.byteLength).toBe(LARGE);
    expect(received?.data).toEqual(body);
  });

  it.each<[string, Uint8Array<ArrayBuffer>]>([
    ['a small view of a slab', new Uint8Array(new ArrayBuffer(8192), 100, 50)],
    ['a row of a large buffer', new Uint8Array(new ArrayBuffer(LARGE * 4), 0, 1000)],
    ['a Buffer of the pool', Buffer.from('a text in the pool')],
    ['a small buffer of its own', new Uint8Array(12)],
  ])('does not detach %s, nor post more than the view', (_, view) => {
    const before = view.buffer.byteLength;
    const [received] = post(prepareInputs([bytes(view)], true));
    expect(view.buffer.byteLength).toBe(before);
    expect(Buffer.from(received!.data as Uint8Array)).toEqual(Buffer.from(view));
    expect((received!.data as TypedArray).buffer.byteLength).toBe(view.byteLength);
  });

  it('does not detach a slab as large as the pool, however large that was made', () => {
    const poolSize = Buffer.poolSize;
    Buffer.poolSize = LARGE;
    try {
      const slab = new Uint8Array(LARGE);
      post(prepareInputs([bytes(slab)], true));
      expect(slab.byteLength).toBe(LARGE);
    } finally {
      Buffer.poolSize = poolSize;
    }
  });

  it('copies shared memory, which cannot change hands', () => {
    const shared = new Int32Array(new SharedArrayBuffer(LARGE)) as unknown as Int32Array<ArrayBuffer>;
    shared[3] = 9;
    const tensor: Tensor = { name: 'x', datatype: 'INT32', shape: [shared.length], data: shared };
    const [received] = post(prepareInputs([tensor], true));
    expect((received!.data as Int32Array)[3]).toBe(9);
    expect((received!.data as Int32Array).buffer).toBeInstanceOf(ArrayBuffer);
  });

  it('passes texts and tensors without elements', () => {
    const texts: Tensor = { name: 't', datatype: 'BYTES', shape: [2], data: toBytesData(['ab', 'é']) };
    const none: Tensor = { name: 'n', datatype: 'FP32', shape: [0], data: new Float32Array(0) };
    expect(post(prepareInputs([texts, none], true))).toEqual([texts, none]);
  });
});

describe('prepareOutputs', () => {
  it('hands every buffer over, once', () => {
    const data = new Float32Array(4);
    const outputs: Tensor[] = [
      { name: 'a', datatype: 'FP32', shape: [2], data: data.subarray(0, 2) },
      { name: 'b', datatype: 'FP32', shape: [2], data: data.subarray(2) },
      { name: 'c', datatype: 'BYTES', shape: [1], data: toBytesData(['x']) },
    ];
    const ready = prepareOutputs(outputs);
    expect(ready.transfer).toHaveLength(3);
    expect(post(ready)).toHaveLength(3);
    expect(data.byteLength).toBe(0);
  });
});

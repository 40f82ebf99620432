import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../base/tensor/tensor.ts';
import { fingerprintOf, sketchOf } from './fingerprint.ts';

const tensors = fc
  .array(fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 300 }), { minLength: 1, maxLength: 3 })
  .map((all) => all.map((values, at) => tensorOf(`x${at}`, Uint8Array.from(values))));

function tensorOf(name: string, data: Uint8Array<ArrayBuffer>): Tensor {
  return { name, datatype: 'UINT8', shape: [data.length], data };
}

/** The same content in other memory, at another offset. */
function copyOf({ name, data }: Tensor): Tensor {
  const bytes = data as Uint8Array<ArrayBuffer>;
  const place = new Uint8Array(bytes.length + 3);
  place.set(bytes, 3);
  return tensorOf(name, place.subarray(3));
}

describe('fingerprintOf, sketchOf', () => {
  it('are the same for the same content, wherever it lies', () => {
    fc.assert(
      fc.property(tensors, (inputs) => {
        const copies = inputs.map(copyOf);
        expect(fingerprintOf(copies)).toBe(fingerprintOf(inputs));
        expect(sketchOf(copies)).toBe(sketchOf(inputs));
      }),
    );
  });

  it('the fingerprint is another for every change of a byte', () => {
    fc.assert(
      fc.property(tensors, fc.nat(), fc.integer({ min: 1, max: 255 }), (inputs, at, by) => {
        const changed = inputs.map(copyOf);
        const bytes = changed[0]?.data as Uint8Array;
        fc.pre(bytes.length > 0);
        bytes[at % bytes.length]! ^= by;
        expect(fingerprintOf(changed)).not.toBe(fingerprintOf(inputs));
      }),
    );
  });

  it('take strings by their bounds, too', () => {
    const textsOf = (offsets: readonly number[]): readonly Tensor[] => [
      {
        name: 'x',
        datatype: 'BYTES',
        shape: [2],
        data: { bytes: Uint8Array.of(97, 98, 99), offsets: Uint32Array.from(offsets) },
      },
    ];
    expect(fingerprintOf(textsOf([0, 1, 3]))).not.toBe(fingerprintOf(textsOf([0, 2, 3])));
    expect(fingerprintOf(textsOf([0, 1, 3]))).toBe(fingerprintOf(textsOf([0, 1, 3])));
  });
});

import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NimifyError } from '../base/errors/nimify-error.ts';
import { dataLength, elementCount } from '../base/tensor/tensor.ts';
import { readNpy } from './npy.ts';

const folder = new URL('../../test/fixtures/npy/', import.meta.url);
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.npy'))
  .map((name) => new Uint8Array(readFileSync(new URL(name, folder))));

/** Either a consistent array or a NimifyError; nothing else may come of any bytes. */
function readsOrRefuses(bytes: Uint8Array): void {
  try {
    const { shape, data } = readNpy(bytes, 'x.npy');
    expect(dataLength(data)).toBe(elementCount(shape));
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(NimifyError);
  }
}

describe('readNpy on hostile bytes', () => {
  it('survives changed bytes in real files', () => {
    const changed = fc
      .tuple(
        fc.constantFrom(...files),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 }),
        fc.nat({ max: 40 }),
      )
      .map(([file, changes, cut]) => {
        const copy = file.slice(0, file.length - cut);
        for (const [at, byte] of changes) copy[at % copy.length] = byte;
        return copy;
      });
    fc.assert(fc.property(changed, readsOrRefuses), { numRuns: 2000 });
  });

  it('survives any bytes after the magic', () => {
    const forged = fc
      .tuple(fc.integer({ min: 0, max: 4 }), fc.uint8Array({ maxLength: 200 }))
      .map(([version, rest]) => Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0, ...rest));
    fc.assert(fc.property(forged, readsOrRefuses));
  });

  it('puts Fortran order into C order for every shape', () => {
    const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });
    fc.assert(
      fc.property(shapes, (shape) => {
        const count = elementCount(shape);
        const header = `{'descr': '<i4', 'fortran_order': True, 'shape': (${shape.map((d) => `${d},`).join('')}), }\n`;
        const lead = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8];
        // Element values are the C-order positions, written down in Fortran order.
        const values = new Int32Array(count);
        for (let position = 0; position < count; position += 1) {
          let rest = position;
          const index = shape.map(() => 0);
          for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
            index[axis] = rest % shape[axis]!;
            rest = Math.floor(rest / shape[axis]!);
          }
          let at = 0;
          for (let axis = shape.length - 1; axis >= 0; axis -= 1) at = at * shape[axis]! + index[axis]!;
          values[at] = position;
        }
        const file = Buffer.concat([Buffer.from(lead), Buffer.from(header), Buffer.from(values.buffer)]);
        const { data } = readNpy(file, 'x.npy');
        expect([...(data as Int32Array)]).toEqual([...values.keys()]);
      }),
    );
  });
});

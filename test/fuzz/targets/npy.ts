import fc from 'fast-check';
import { elementCount } from '../../../src/base/tensor/tensor.ts';
import { readNpy } from '../../../src/cli/npy.ts';
import { filesBelow, mutated } from '../mutation.ts';
import { type FuzzTarget, require, resultOrRefusal } from '../target.ts';

const WORDS = [
  ...[
    "'descr':",
    "'fortran_order':",
    "'shape':",
    'True',
    'False',
    '(',
    ')',
    ',',
    "'<f4'",
    "'>f8'",
    "'<U3'",
    "'|S2'",
  ],
  ...[
    "'<U0'",
    "'|S0'",
    "'|O'",
    "'<M8[ns]'",
    "'<c8'",
    '(0,)',
    '(4294967296, 4294967296)',
    '(1,1,1,1,1,1,1,1,1,1)',
  ],
  ...['9007199254740993', '-1', '1e3', '0x10', '2L', '\u0093NUMPY\u0001\u0000', '\u0002', '\u0003'],
];

/** A header as given, and some elements behind it. */
const written = fc
  .record({
    version: fc.constantFrom(1, 2, 3),
    descr: fc.tuple(
      fc.constantFrom('<', '>', '|', '='),
      fc.constantFrom('f', 'i', 'u', 'b', 'U', 'S', 'O'),
      fc.nat(9),
    ),
    order: fc.constantFrom('True', 'False'),
    shape: fc.array(fc.oneof(fc.nat(5), fc.nat(2 ** 31)), { maxLength: 5 }),
    elements: fc.uint8Array({ maxLength: 256 }),
  })
  .map(({ version, descr, order, shape, elements }) => {
    const text = `{'descr': '${descr.join('')}', 'fortran_order': ${order}, 'shape': (${shape.join(', ')},), }\n`;
    const head = Buffer.from([0x93, ...Buffer.from('NUMPY'), version, 0, 0, 0, 0, 0]);
    if (version === 1) head.writeUInt16LE(text.length, 8);
    else head.writeUInt32LE(text.length, 8);
    return Buffer.concat([head.subarray(0, version === 1 ? 10 : 12), Buffer.from(text), elements]);
  });

export const npyTarget: FuzzTarget = {
  name: 'npy',
  inputs: fc.oneof(mutated(filesBelow('test/fixtures/npy', /\.npy$/, 64 * 1024), WORDS), written),
  run(input) {
    const array = resultOrRefusal(['INVALID_INPUT'], () => readNpy(input, 'array.npy'));
    if (array === undefined) return;
    const { shape, data } = array;
    const count = elementCount(shape);
    if ('offsets' in data) {
      require(data.offsets.length === count + 1, 'offsets do not fit the shape');
      require(data.offsets[count] === data.bytes.length, 'offsets do not fit the bytes');
    } else require(data.length === count, 'data do not fit the shape');
  },
};

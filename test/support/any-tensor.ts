import fc from 'fast-check';
import { allocateTensorData } from '../../src/base/tensor/allocate.ts';
import { toBytesData } from '../../src/base/tensor/bytes.ts';
import { DATATYPES, type Datatype, type TypedArray } from '../../src/base/tensor/datatype.ts';
import { type BytesData, elementCount, type Tensor, type TensorData } from '../../src/base/tensor/tensor.ts';

/**
 * Tensors of every datatype, rank 0 to 4, empty ones included, with any bit patterns: NaN, infinities,
 * subnormals, the ends of the integers. `text`: elements of BYTES are UTF-8, as JSON wants them.
 */
export function anyTensor({ text }: { readonly text: boolean }): fc.Arbitrary<Tensor> {
  const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });
  return fc
    .record({
      name: fc.string({ unit: 'grapheme', maxLength: 12 }),
      datatype: fc.constantFrom(...DATATYPES),
      shape: shapes,
    })
    .chain(({ name, datatype, shape }) =>
      dataOf(datatype, elementCount(shape), text).map((data) => ({ name, datatype, shape, data })),
    );
}

function dataOf(datatype: Datatype, count: number, text: boolean): fc.Arbitrary<TensorData> {
  if (datatype === 'BYTES') {
    const exactly = { minLength: count, maxLength: count };
    return text
      ? fc.array(fc.string({ unit: 'grapheme', maxLength: 9 }), exactly).map(toBytesData)
      : fc.array(fc.uint8Array({ maxLength: 9 }), exactly).map(pack);
  }
  const data = allocateTensorData(datatype, count) as TypedArray;
  const size = data.byteLength;
  // A fresh array for every sample: the tensors are kept and compared.
  return fc
    .uint8Array({ minLength: size, maxLength: size, max: datatype === 'BOOL' ? 1 : 255 })
    .map((bytes) => {
      const filled = allocateTensorData(datatype, count) as TypedArray;
      new Uint8Array(filled.buffer).set(bytes);
      return filled;
    });
}

function pack(elements: readonly Uint8Array[]): BytesData {
  const offsets = new Uint32Array(elements.length + 1);
  for (const [index, element] of elements.entries()) offsets[index + 1] = offsets[index]! + element.length;
  return { bytes: Uint8Array.from(elements.flatMap((element) => [...element])), offsets };
}

import { invalidInput } from '../base/errors/nimify-error.ts';
import { ARRAY_OF, DATATYPES, type Datatype, isDatatype } from '../base/tensor/datatype.ts';
import {
  type BytesData,
  dataLength,
  elementCount,
  type Tensor,
  type TensorData,
} from '../base/tensor/tensor.ts';
import type { TextTensor } from './contract.ts';

/**
 * The inputs of a call as they travel: text packed, everything else as it is. What cannot be meant is found here, where
 * the caller's own stack still says who it was; a Float64Array sent as FP32 would only be so many wrong bytes.
 * @throws NimifyError INVALID_INPUT
 */
export function toTensors(inputs: readonly (Tensor | TextTensor)[]): readonly Tensor[] {
  return inputs.map((input, index) => {
    const where = `inputs[${index}]`;
    if (!isDatatype(input.datatype)) {
      throw refuse(`${where}.datatype`, `one of ${DATATYPES.join(', ')}`, String(input.datatype));
    }
    const { name, datatype, shape } = input;
    const data = isTexts(input) ? pack(input.data, `${where}.data`) : input.data;
    if (!hasItsData(datatype, data)) throw refuse(`${where}.data`, dataOf(datatype), kindOf(data));
    const count = elementCount(shape);
    if (Number.isNaN(count)) {
      throw refuse(
        `${where}.shape`,
        'whole numbers from 0 whose product is below 2^53',
        `[${shape.join(',')}]`,
      );
    }
    if (dataLength(data) !== count) {
      throw refuse(
        `${where}.data`,
        `${count} elements as the shape [${shape.join(',')}] says`,
        `${dataLength(data)}`,
      );
    }
    return { name, datatype, shape, data };
  });
}

function isTexts(input: Tensor | TextTensor): input is TextTensor {
  return input.datatype === 'BYTES' && Array.isArray(input.data);
}

function hasItsData(datatype: Datatype, data: unknown): data is TensorData {
  if (datatype !== 'BYTES') return kindOf(data) === ARRAY_OF[datatype].name;
  if (typeof data !== 'object' || data === null || !('bytes' in data) || !('offsets' in data)) return false;
  return kindOf(data.bytes) === 'Uint8Array' && kindOf(data.offsets) === 'Uint32Array';
}

/** Such as `Float32Array`, also of one that was made in another realm, as test runners have them. */
function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice('[object '.length, -1);
}

function pack(elements: readonly (string | Uint8Array)[], where: string): BytesData {
  const encoder = new TextEncoder();
  const offsets = new Uint32Array(elements.length + 1);
  const parts = elements.map((element, index) => {
    if (typeof element !== 'string' && kindOf(element) !== 'Uint8Array') {
      throw refuse(`${where}[${index}]`, 'a string or a Uint8Array', kindOf(element));
    }
    const bytes = typeof element === 'string' ? encoder.encode(element) : element;
    offsets[index + 1] = offsets[index]! + bytes.length;
    return bytes;
  });
  const bytes = new Uint8Array(offsets[elements.length]!);
  for (const [index, part] of parts.entries()) bytes.set(part, offsets[index]);
  return { bytes, offsets };
}

function dataOf(datatype: Datatype): string {
  if (datatype === 'BYTES') return 'strings or Uint8Arrays (BYTES)';
  const bits = datatype === 'FP16' || datatype === 'BF16' ? ' with the bits of' : '';
  return `a ${ARRAY_OF[datatype].name}${bits} (${datatype})`;
}

function refuse(where: string, expected: string, got: string): Error {
  return invalidInput(`${where}: expected ${expected}, got ${got}`, { where, expected, got });
}

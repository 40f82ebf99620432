import { invalidInput } from '../../../base/errors/nimify-error.ts';
import { ARRAY_OF, type Datatype, elementSizeBytes, type TypedArray } from '../../../base/tensor/datatype.ts';
import { elementCount, isBytesData, type Tensor, type TensorData } from '../../../base/tensor/tensor.ts';
import { elementNumberOf } from './element-number.ts';
import { isSameShape } from './known-shapes.ts';
import type { Library } from './library.ts';
import type { PointerList } from './pointer-list.ts';
import { fillStrings } from './strings.ts';

/** Up to here a copy into a tensor that is there already costs less than to make one over the view, and free it. */
export const SMALL_BYTES = 4096;

/**
 * One input of a slot's runs. Small tensors are copied into memory of its own, over which an OrtValue stays as
 * long as their shape; of others a run reads the view it was given.
 */
export class InputValue {
  readonly #library: Library;
  readonly #values: PointerList;
  readonly #at: number;
  readonly #room = new ArrayBuffer(SMALL_BYTES);
  /** Elements of the tensor that stays; undefined: there is none. */
  #elements: TypedArray | undefined;
  #datatype: Datatype | undefined;
  #shape: readonly number[] = [];
  /** What the run reads, kept here from being collected. */
  given: TensorData | undefined;

  constructor(library: Library, values: PointerList, at: number) {
    this.#library = library;
    this.#values = values;
    this.#at = at;
  }

  /** Makes the tensor the input of the next run. @throws NimifyError INVALID_INPUT, Error with the native text */
  set(tensor: Tensor): void {
    const { datatype, shape, data } = tensor;
    const elements = this.#elements;
    if (
      elements !== undefined &&
      datatype === this.#datatype &&
      !isBytesData(data) &&
      data.length === elements.length &&
      isSameShape(shape, this.#shape)
    ) {
      (elements as Uint8Array).set(data as Uint8Array);
      return;
    }
    this.free();
    if (datatype === 'BYTES') this.#setText(tensor);
    else if (isBytesData(data)) throw misfit(tensor);
    else {
      const sizeBytes = elementCount(shape) * elementSizeBytes(datatype);
      if (data.byteLength !== sizeBytes) throw misfit(tensor);
      const room = sizeBytes <= SMALL_BYTES ? new ARRAY_OF[datatype](this.#room, 0, data.length) : undefined;
      this.#make(tensor, room ?? (data.buffer instanceof SharedArrayBuffer ? data.slice() : data));
      if (room === undefined) return;
      (room as Uint8Array).set(data as Uint8Array);
      this.#elements = room;
      this.#datatype = datatype;
      this.#shape = [...shape];
    }
  }

  /** After a run. */
  done(): void {
    if (this.#elements === undefined) this.free();
  }

  free(): void {
    const value = this.#values.get(this.#at);
    if (value !== 0) this.#library.api.releaseValue(value);
    this.#values.clear(this.#at);
    this.#elements = undefined;
    this.given = undefined;
  }

  #make({ datatype, shape }: Tensor, data: TypedArray): void {
    const { api, memory, check } = this.#library;
    const sizes = BigInt64Array.from(shape, BigInt);
    const number = elementNumberOf(datatype);
    const into = this.#values.addressAt(this.#at);
    this.given = data;
    check(api.createTensorWithData(memory, data, data.byteLength, sizes, sizes.length, number, into));
  }

  #setText({ name, shape, data }: Tensor): void {
    const { api, allocator, check } = this.#library;
    if (!isBytesData(data) || data.offsets.length - 1 !== elementCount(shape))
      throw misfit({ name, datatype: 'BYTES', shape });
    const sizes = BigInt64Array.from(shape, BigInt);
    const into = this.#values.addressAt(this.#at);
    check(api.createTensor(allocator, sizes, sizes.length, elementNumberOf('BYTES'), into));
    fillStrings(this.#library, this.#values.get(this.#at), name, data);
  }
}

function misfit({ name, datatype, shape }: Pick<Tensor, 'name' | 'datatype' | 'shape'>) {
  return invalidInput(`input '${name}': its elements are not those of [${shape.join(',')}] in ${datatype}`, {
    where: `inputs.${name}`,
  });
}

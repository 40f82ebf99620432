import {
  ARRAY_OF,
  type Datatype,
  elementSizeBytes,
  type FixedDatatype,
  type TypedArray,
} from '../../../base/tensor/datatype.ts';
import { elementCount, type Tensor } from '../../../base/tensor/tensor.ts';
import { elementNumberOf } from './element-number.ts';
import { SMALL_BYTES } from './input-value.ts';
import { isSameShape } from './known-shapes.ts';
import type { Library } from './library.ts';
import { giveElements, takeElements } from './output-pool.ts';
import type { PointerList } from './pointer-list.ts';
import { readStrings } from './strings.ts';

type Shape = readonly number[];

/** A byte that no memory is cleared to. */
const MARK = 0xa5;

/**
 * One output of a slot's runs. Where its shape is known, the run writes it into memory of ours: small ones into the
 * slot's, over which an OrtValue stays, and from where they are copied; larger ones into an array that is the
 * answer, in memory from a pool. Otherwise ONNX Runtime makes the tensor, and it is copied out.
 */
export class OutputValue {
  readonly #library: Library;
  readonly #values: PointerList;
  readonly #at: number;
  readonly #room = new ArrayBuffer(SMALL_BYTES);
  /** Elements of the tensor that stays; undefined: there is none. */
  #kept: TypedArray | undefined;
  #datatype: Datatype | undefined;
  #shape: Shape = [];
  /** Elements that the run writes; undefined: where ONNX Runtime puts them. */
  #written: TypedArray | undefined;
  #isMarked = false;

  constructor(library: Library, values: PointerList, at: number) {
    this.#library = library;
    this.#values = values;
    this.#at = at;
  }

  /**
   * Gets ready for a run.
   * @param shape undefined: it is not known
   * @param marks whether it is to be seen afterwards that something was written
   */
  expect(datatype: Datatype, shape: Shape | undefined, marks: boolean): void {
    if (shape === undefined || datatype === 'BYTES') this.free();
    else this.#prepare(datatype, shape);
    this.#isMarked = marks && this.#written !== undefined;
    if (this.#isMarked) bytesOf(this.#written!).fill(MARK);
  }

  /** The run writes where it was told to. */
  get isForeseen(): boolean {
    return this.#written !== undefined;
  }

  /** Nothing was written where it was to be. A graph that hands an input on as an output does so. */
  isUntouched(): boolean {
    if (!this.#isMarked) return false;
    const bytes = bytesOf(this.#written!);
    return bytes.length > 0 && bytes.every((byte) => byte === MARK);
  }

  #prepare(datatype: FixedDatatype, shape: Shape): void {
    if (this.#kept !== undefined && datatype === this.#datatype && isSameShape(shape, this.#shape)) {
      this.#written = this.#kept;
      return;
    }
    this.free();
    const count = elementCount(shape);
    const isSmall = count * elementSizeBytes(datatype) <= SMALL_BYTES;
    const elements = isSmall ? new ARRAY_OF[datatype](this.#room, 0, count) : takeElements(datatype, count);
    const { api, memory, check } = this.#library;
    const sizes = BigInt64Array.from(shape, BigInt);
    const into = this.#values.addressAt(this.#at);
    const number = elementNumberOf(datatype);
    check(api.createTensorWithData(memory, elements, elements.byteLength, sizes, sizes.length, number, into));
    this.#written = elements;
    this.#datatype = datatype;
    this.#shape = shape;
    if (isSmall) this.#kept = elements;
  }

  /** What the run made. @throws Error with the native text */
  take(name: string, datatype: Datatype): Tensor {
    const written = this.#written;
    if (written === undefined) return this.#copyOut(name, datatype);
    const shape = this.#shape;
    if (written === this.#kept) return { name, datatype, shape, data: written.slice() };
    this.#written = undefined;
    this.free();
    return { name, datatype, shape, data: written };
  }

  /** After a run that failed. */
  drop(): void {
    if (this.#kept === undefined) this.free();
    this.#written = undefined;
  }

  /** What a run wrote and nobody gets goes back at once. */
  free(): void {
    if (this.#written !== undefined && this.#written !== this.#kept) giveElements(this.#written);
    const value = this.#values.get(this.#at);
    if (value !== 0) this.#library.api.releaseValue(value);
    this.#values.clear(this.#at);
    this.#kept = undefined;
    this.#written = undefined;
  }

  #copyOut(name: string, datatype: Datatype): Tensor {
    const { made, api, copyFrom } = this.#library;
    const value = this.#values.get(this.#at);
    try {
      const shape = shapeOf(this.#library, value);
      const count = elementCount(shape);
      if (datatype === 'BYTES')
        return { name, datatype, shape, data: readStrings(this.#library, value, count) };
      const data = takeElements(datatype, count);
      copyFrom(
        made((out) => api.getTensorMutableData(value, out)),
        data,
      );
      return { name, datatype, shape, data };
    } finally {
      this.free();
    }
  }
}

function shapeOf({ made, api, check }: Library, value: number): Shape {
  const info = made((out) => api.getTensorTypeAndShape(value, out));
  try {
    const rank = made((out) => api.getDimensionsCount(info, out));
    const sizes = new BigInt64Array(rank);
    check(api.getDimensions(info, sizes, rank));
    return Array.from(sizes, Number);
  } finally {
    api.releaseTensorInfo(info);
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: TypedArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

import type { Address } from './c-api.ts';
import type { Library } from './library.ts';

/** An array of native addresses, as functions of C take it: names and values of a run. */
export class PointerList {
  /** Of the list itself. */
  readonly address: Address;
  /** Its memory is not on JavaScript's heap: it stays where it is, for as long as this object does. */
  readonly #pointers: BigUint64Array;

  constructor(library: Pick<Library, 'addressOf'>, length: number) {
    this.#pointers = new BigUint64Array(new ArrayBuffer(Math.max(1, length) * 8));
    this.address = library.addressOf(this.#pointers);
  }

  get(at: number): Address {
    return Number(this.#pointers[at]);
  }

  set(at: number, pointer: Address): void {
    this.#pointers[at] = BigInt(pointer);
  }

  clear(at: number): void {
    this.#pointers[at] = 0n;
  }

  /** Where entry `at` is, for a function to write it. */
  addressAt(at: number): Address {
    return this.address + at * 8;
  }
}

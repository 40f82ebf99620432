import type { Tensor } from '../../../base/tensor/tensor.ts';
import { InputValue } from './input-value.ts';
import type { Library } from './library.ts';
import type { NamedValue } from './open-handle.ts';
import { PointerList } from './pointer-list.ts';

/** The inputs of a slot's runs: lists of names and values, as the C API takes them. */
export class RunInputs {
  readonly names: PointerList;
  readonly values: PointerList;
  readonly #known: readonly NamedValue[];
  readonly #inputs: readonly InputValue[];
  /** Names as they are in the list. */
  readonly #named: string[] = [];
  count = 0;

  constructor(library: Library, known: readonly NamedValue[]) {
    this.#known = known;
    this.names = new PointerList(library, known.length);
    this.values = new PointerList(library, known.length);
    this.#inputs = known.map((_, at) => new InputValue(library, this.values, at));
  }

  /** @throws NimifyError INVALID_INPUT, Error with the native text */
  set(tensors: readonly Tensor[]): void {
    if (tensors.length > this.#known.length)
      throw new Error(`${tensors.length} inputs for ${this.#known.length}`);
    this.count = tensors.length;
    for (let at = 0; at < tensors.length; at++) {
      const tensor = tensors[at]!;
      if (tensor.name !== this.#named[at]) this.#name(at, tensor.name);
      this.#inputs[at]!.set(tensor);
    }
  }

  /** After a run, or one that could not be begun. */
  done(): void {
    for (let at = 0; at < this.count; at++) this.#inputs[at]!.done();
  }

  free(): void {
    for (const input of this.#inputs) input.free();
  }

  #name(at: number, name: string): void {
    const known = this.#known.find((one) => one.name === name);
    if (known === undefined) throw new Error(`there is no input '${name}'`);
    this.names.set(at, known.nameAddress);
    this.#named[at] = name;
  }
}

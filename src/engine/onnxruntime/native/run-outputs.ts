import type { Tensor } from '../../../base/tensor/tensor.ts';
import { isSameShape, type KnownShapes, type OutputShapes } from './known-shapes.ts';
import type { Library } from './library.ts';
import type { NamedValue } from './open-handle.ts';
import { OutputValue } from './output-value.ts';
import { PointerList } from './pointer-list.ts';

/** The outputs of a slot's runs: lists of names and values, as the C API takes them. */
export class RunOutputs {
  readonly names: PointerList;
  readonly values: PointerList;
  readonly #known: readonly NamedValue[];
  readonly #shapes: KnownShapes;
  readonly #outputs: readonly OutputValue[];
  /** Mostly the same list of names comes again, that of all outputs. */
  #wanted: readonly string[] = [];
  /** Their indices among the session's. */
  #indices: readonly number[] = [];
  /** Shapes by the session's outputs. */
  #expected: OutputShapes = [];

  constructor(library: Library, known: readonly NamedValue[], shapes: KnownShapes) {
    this.#known = known;
    this.#shapes = shapes;
    this.names = new PointerList(library, known.length);
    this.values = new PointerList(library, known.length);
    this.#outputs = known.map((_, at) => new OutputValue(library, this.values, at));
  }

  get count(): number {
    return this.#wanted.length;
  }

  /**
   * Makes room for the outputs of the next run.
   * @param wanted names, each once
   * @param foresees false: the run makes all of the room
   * @throws Error with the native text
   */
  expect(wanted: readonly string[], inputs: readonly Tensor[], foresees: boolean): void {
    if (wanted !== this.#wanted) this.#name(wanted);
    this.#expected = this.#shapes.of(inputs);
    for (let at = 0; at < wanted.length; at++) {
      const index = this.#indices[at]!;
      const shape = foresees ? this.#expected[index] : undefined;
      this.#outputs[at]!.expect(this.#known[index]!.datatype!, shape, !this.#shapes.isProven(index));
    }
  }

  /** Whether the run that failed was given room that may have been wrong. */
  get isForeseen(): boolean {
    return this.#wanted.some((_, at) => this.#outputs[at]!.isForeseen);
  }

  /**
   * What the run made. Undefined: not all of it is where it was foreseen to be, and the run has to be made again
   * without foresight.
   * @throws Error with the native text
   */
  take(): readonly Tensor[] | undefined {
    const expected = this.#expected;
    const tensors = new Array<Tensor>(this.#wanted.length);
    for (let at = 0; at < tensors.length; at++) {
      const index = this.#indices[at]!;
      const output = this.#outputs[at]!;
      if (output.isUntouched()) {
        this.#shapes.forget(index);
        return undefined;
      }
      // Another slot may have learned meanwhile what was not known when this run began.
      const { isForeseen } = output;
      const tensor = output.take(this.#wanted[at]!, this.#known[index]!.datatype!);
      const { shape } = tensor;
      if (isForeseen) this.#shapes.prove(index);
      else if (expected[index] === undefined) this.#shapes.learn(expected, index, shape);
      else if (!isSameShape(shape, expected[index])) this.#shapes.forget(index);
      tensors[at] = tensor;
    }
    return tensors;
  }

  /** After a run that failed, or whose outputs were not all taken. */
  drop(): void {
    for (let at = 0; at < this.#wanted.length; at++) this.#outputs[at]!.drop();
  }

  free(): void {
    for (const output of this.#outputs) output.free();
  }

  #name(wanted: readonly string[]): void {
    if (wanted.length > this.#known.length)
      throw new Error(`${wanted.length} outputs of ${this.#known.length}`);
    const indices = wanted.map((name) => this.#known.findIndex((one) => one.name === name));
    const unknown = indices.indexOf(-1);
    if (unknown >= 0) throw new Error(`there is no output '${wanted[unknown]}'`);
    this.free();
    for (const [at, index] of indices.entries()) this.names.set(at, this.#known[index]!.nameAddress);
    this.#indices = indices;
    this.#wanted = wanted;
  }
}

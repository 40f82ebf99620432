import type { Tensor } from '../../../base/tensor/tensor.ts';

type Sized = Pick<Tensor, 'name' | 'shape'>;
type Shape = readonly number[];

/** Shapes of a session's outputs, by their index; undefined where none is known. */
export type OutputShapes = (Shape | undefined)[];

/** Combinations of inputs' shapes that are remembered; a model that sees more of them begins anew. */
const MOST_KEPT = 256;

/**
 * What shapes a session's outputs had, by the shapes of its inputs, so that the next such run writes into memory that
 * is there. Where shapes depend on values (NonZero, NMS), what is foreseen may be wrong: ONNX Runtime refuses to
 * write a tensor of another shape, the run is made again, and such outputs are never foreseen again.
 */
export class KnownShapes {
  readonly #byInputs = new Map<string, OutputShapes>();
  #lastInputs: readonly Sized[] = [];
  #last: OutputShapes | undefined;
  /** Outputs that cannot be foreseen. */
  readonly #open = new Set<number>();
  /** Outputs that were seen to be written where they were to be. */
  readonly #proven = new Set<number>();
  #hasGivenUp = false;

  /** After inputs of these shapes. The list is to be completed by `learn`. */
  of(inputs: readonly Sized[]): OutputShapes {
    if (this.#last !== undefined && haveSameShapes(inputs, this.#lastInputs)) return this.#last;
    let key = '';
    for (const { name, shape } of inputs) key += `${name}:${shape.join(',')};`;
    let shapes = this.#byInputs.get(key);
    if (shapes === undefined) {
      if (this.#byInputs.size >= MOST_KEPT) this.#byInputs.clear();
      shapes = [];
      this.#byInputs.set(key, shapes);
    }
    this.#lastInputs = inputs.map(({ name, shape }) => ({ name, shape }));
    this.#last = shapes;
    return shapes;
  }

  learn(shapes: OutputShapes, output: number, shape: Shape): void {
    if (!this.#hasGivenUp && !this.#open.has(output)) shapes[output] = shape;
  }

  forget(output: number): void {
    this.#open.add(output);
    this.#byInputs.clear();
    this.#last = undefined;
  }

  /** Nothing is to be foreseen any more: the graph itself is wrong about a shape. */
  giveUp(): void {
    this.#hasGivenUp = true;
    this.#byInputs.clear();
    this.#last = undefined;
  }

  isProven(output: number): boolean {
    return this.#proven.has(output);
  }

  prove(output: number): void {
    this.#proven.add(output);
  }
}

function haveSameShapes(ones: readonly Sized[], others: readonly Sized[]): boolean {
  if (ones.length !== others.length) return false;
  for (let at = 0; at < ones.length; at++) {
    if (ones[at]!.name !== others[at]!.name || !isSameShape(ones[at]!.shape, others[at]!.shape)) return false;
  }
  return true;
}

export function isSameShape(one: Shape, other: Shape): boolean {
  if (one.length !== other.length) return false;
  for (let axis = 0; axis < one.length; axis++) if (one[axis] !== other[axis]) return false;
  return true;
}

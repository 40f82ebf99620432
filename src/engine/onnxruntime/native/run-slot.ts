import type { Tensor } from '../../../base/tensor/tensor.ts';
import type { RunRequest } from '../../../model/engine.ts';
import type { Address } from './c-api.ts';
import type { KnownShapes } from './known-shapes.ts';
import type { Library } from './library.ts';
import type { SessionHandle } from './open-handle.ts';
import { RunInputs } from './run-inputs.ts';
import { RunOutputs } from './run-outputs.ts';

/** Hears of a run's outputs, or of what went wrong. */
export type Done = (failure: unknown, outputs: readonly Tensor[]) => void;

/** ONNX Runtime about an output that is not of the shape of the memory that it was to be written to. */
const WRONG_SHAPE = /computed output shape for this run|shape verification failed/;
/** And, before the run, about memory of another shape than the graph declares; it does not mind where it makes it itself. */
const UNDECLARED_SHAPE = /(?:rank|dimensions) for output/;

/**
 * The place of one run at a time. All that a run reads and writes is reachable from here until it is over: native code
 * keeps nothing from being collected.
 */
export class RunSlot {
  readonly #library: Library;
  readonly #session: Address;
  readonly #options: Address;
  readonly #inputs: RunInputs;
  readonly #outputs: RunOutputs;
  readonly #shapes: KnownShapes;
  /** That of the run in flight. */
  #request: RunRequest | undefined;
  #isTerminated = false;

  constructor(library: Library, { address, inputs, outputs }: SessionHandle, shapes: KnownShapes) {
    this.#library = library;
    this.#session = address;
    this.#shapes = shapes;
    this.#options = library.made((out) => library.api.createRunOptions(out));
    this.#inputs = new RunInputs(library, inputs);
    this.#outputs = new RunOutputs(library, outputs, shapes);
  }

  /** On this thread. @throws NimifyError INVALID_INPUT; Error with the native text */
  runNow(request: RunRequest): readonly Tensor[] {
    return this.#runNow(request, true) ?? this.#runNow(request, false)!;
  }

  /**
   * On a thread of libuv's. `done` hears of what `runNow` would give or throw, once, and not within this call.
   * @throws as `runNow`, where the run cannot be begun; `done` hears nothing then
   */
  run(request: RunRequest, done: Done): void {
    this.#run(request, true, done);
  }

  /** Ends the run in flight, from this thread: it fails between two of its operators. */
  terminate(): void {
    if (this.#request === undefined) return;
    this.#isTerminated = true;
    this.#library.check(this.#library.api.runOptionsSetTerminate(this.#options));
  }

  /** No run may be in flight. */
  free(): void {
    this.#inputs.free();
    this.#outputs.free();
    this.#library.api.releaseRunOptions(this.#options);
  }

  #runNow(request: RunRequest, foresees: boolean): readonly Tensor[] | undefined {
    this.#begin(request, foresees);
    const { names, values, count } = this.#inputs;
    const outputs = this.#outputs;
    const status = this.#library.api.run(
      this.#session,
      this.#options,
      names.address,
      values.address,
      count,
      outputs.names.address,
      outputs.count,
      outputs.values.address,
    );
    return this.#end(status);
  }

  #run(request: RunRequest, foresees: boolean, done: Done): void {
    this.#begin(request, foresees);
    const { names, values, count } = this.#inputs;
    const outputs = this.#outputs;
    this.#library.api.run.async(
      this.#session,
      this.#options,
      names.address,
      values.address,
      count,
      outputs.names.address,
      outputs.count,
      outputs.values.address,
      (failure, status) => {
        let made: readonly Tensor[] | undefined;
        try {
          made = this.#end(status, failure);
          if (made === undefined) {
            this.#run(request, false, done);
            return;
          }
        } catch (thrown) {
          done(thrown, []);
          return;
        }
        done(undefined, made);
      },
    );
  }

  #begin(request: RunRequest, foresees: boolean): void {
    this.#request = request;
    try {
      this.#inputs.set(request.inputs);
      this.#outputs.expect(request.outputs, request.inputs, foresees);
    } catch (failed) {
      this.#giveBack();
      throw failed;
    }
  }

  /** @returns the outputs; undefined: the run has to be made again without foresight */
  #end(status: Address, failure: unknown = null): readonly Tensor[] | undefined {
    try {
      if (failure !== null) throw failure;
      this.#library.check(status);
      return this.#outputs.take();
    } catch (failed) {
      const { message } = failed as Error;
      if (!this.#outputs.isForeseen || this.#isTerminated) throw failed;
      if (UNDECLARED_SHAPE.test(message)) this.#shapes.giveUp();
      else if (!WRONG_SHAPE.test(message)) throw failed;
      return undefined;
    } finally {
      this.#giveBack();
    }
  }

  #giveBack(): void {
    this.#request = undefined;
    this.#inputs.done();
    this.#outputs.drop();
    if (!this.#isTerminated) return;
    this.#isTerminated = false;
    this.#library.check(this.#library.api.runOptionsUnsetTerminate(this.#options));
  }
}

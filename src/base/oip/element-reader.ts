import type { TensorData } from '../tensor/tensor.ts';
import type { Where } from './json-error.ts';

/** Reads JSON scalars from one body, one after the other, into the elements of a tensor. */
export interface ElementReader {
  /**
   * Reads the scalar at `at` (no white space before it) and returns its end.
   * @throws NimifyError INVALID_INPUT at `where`: no such scalar, or a value that the datatype cannot hold
   */
  read(at: number, where: Where): number;
  /**
   * Reads scalars from `at` on for as long as commas follow.
   * @returns where something else than a comma follows, white space passed by
   * @throws NimifyError INVALID_INPUT as `read`
   */
  readElements(at: number, where: Where): number;
  /** Elements read so far. */
  count(): number;
  /** All that was read. Call it once. */
  take(): TensorData;
}

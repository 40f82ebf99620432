import type { Where } from './json-error.ts';
import { skipSpace } from './json-value.ts';

const COMMA = 0x2c;

/**
 * Elements to read one by one after a run of none: they mostly are not plain either, and a vain attempt costs half
 * a read.
 */
const READ_AFTER_NONE = 16;

/**
 * Reads scalars from `at` on for as long as commas follow: whole runs with `readPlain` where there are such, the
 * others one by one with `read`. That one loop serves all datatypes, with a call through a pointer for each element
 * that is not plain, cannot be told from a loop for each (150 528 elements, measured).
 *
 * @param at no white space there
 * @param readPlain reads a run of plainly written elements with the commas behind them, perhaps none
 * @returns where something else than a comma follows, white space passed by
 */
export function readElements(
  bytes: Uint8Array,
  at: number,
  where: Where,
  read: (at: number, where: Where) => number,
  readPlain: (at: number) => number,
): number {
  for (;;) {
    const before = at;
    at = skipSpace(bytes, readPlain(at));
    for (let left = at > before ? 1 : READ_AFTER_NONE; left > 0; left--) {
      at = skipSpace(bytes, read(at, where));
      if (bytes[at] !== COMMA) return at;
      at = skipSpace(bytes, at + 1);
    }
  }
}

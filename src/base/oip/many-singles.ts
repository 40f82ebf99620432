import { startProgram } from '../wasm/module.ts';
import { singleProgram } from './single-program.ts';
import { MOST_NUMBERS, NUMBERS_AT, TEXT_AT, writeSingleTables } from './single-tables.ts';
import { writeSingle } from './single-text.ts';

const COMMA = 0x2c;

/** Writes many FP32 at once, by a WebAssembly program that takes a third of the time of `writeSingles`, to the same text. */
export interface ManySingles {
  /** Where the numbers are put. */
  readonly numbers: Float32Array;
  /** Where their text stands after `write`, until the next. */
  readonly text: Uint8Array;
  /** Writes the first `count` numbers, at least one, with a comma after each, and returns the length of the text. */
  write(count: number): number;
}

/**
 * Numbers that are written before the program is made. Until then the slower way has cost a millisecond; the program
 * takes some to be made, which a server that answers with few numbers is not to pay.
 */
const FIRST_NUMBERS = 65_536;
let numbersLeft = FIRST_NUMBERS;
let ofThisThread: ManySingles | undefined;

/** The one of this thread, for `count` numbers that are about to be written; undefined where they go by `writeSingles`. */
export function manySingles(count: number): ManySingles | undefined {
  if (numbersLeft > 0) {
    numbersLeft -= count;
    if (numbersLeft <= 0) ofThisThread = createManySingles();
  }
  return ofThisThread;
}

/** Undefined where WebAssembly cannot be used. Takes 64 KiB and some milliseconds. */
export function createManySingles(): ManySingles | undefined {
  const program = startProgram(singleProgram(), (memory) => {
    writeSingleTables(memory);
    const bytes = new Uint8Array(memory);
    return (value: number, at: number): number => {
      const end = writeSingle(value, bytes, at);
      bytes[end] = COMMA;
      return end + 1;
    };
  });
  if (program === undefined) return undefined;
  const { memory, run } = program;
  return {
    numbers: new Float32Array(memory, NUMBERS_AT, MOST_NUMBERS),
    text: new Uint8Array(memory, TEXT_AT),
    write: (count) => run(NUMBERS_AT, NUMBERS_AT + count * 4, TEXT_AT) - TEXT_AT,
  };
}

import { allocateUncleared, growUncleared } from '../tensor/allocate.ts';
import { floatToBfloat16, floatToHalf } from '../tensor/half.ts';
import type { ElementReader } from './element-reader.ts';
import { expectedError, mismatchError, type Where } from './json-error.ts';
import { asciiText, createNumberToken, scanNumber, toDouble } from './json-number.ts';
import { hasWord } from './json-value.ts';
import { LONGEST_PLAIN, type Run, scanDecimals } from './plain-numbers.ts';
import { readElements } from './read-elements.ts';

/**
 * Numbers, rounded to the nearest value of the datatype, ties to even. A number beyond the datatype's range is
 * refused rather than made infinite. What is not finite is written as the string "NaN", "Infinity" or
 * "-Infinity", or as the bareword of the same letters, which is no JSON but what Python's json.dumps writes.
 */
export function createFloatReader(
  bytes: Uint8Array,
  datatype: 'FP16' | 'BF16' | 'FP64',
  capacity: number,
): ElementReader {
  const token = createNumberToken();
  let data = allocateUncleared(datatype, capacity);
  const run: Run = { at: 0, count: 0 };
  let view: DataView | undefined;
  let count = 0;

  function read(at: number, where: Where): number {
    let end = scanNumber(bytes, at, token);
    let stored: number;
    if (end < 0) {
      const word = readNonFinite(bytes, at, datatype, where);
      end = word.end;
      stored = toStored(word.value);
    } else {
      stored = toStored(toDouble(token, bytes, at, end));
      if (isInfinite(stored)) throw overflowError(bytes, at, end, datatype, where);
    }
    if (count === data.length) data = growUncleared(datatype, data);
    data[count] = stored;
    count += 1;
    return end;
  }

  function readPlain(at: number): number {
    // FP16 and BF16 are bits, made from a number each: JSON is no way to send many of them.
    if (!(data instanceof Float64Array) || at + LONGEST_PLAIN >= bytes.length) return at;
    view ??= new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    run.at = at;
    run.count = count;
    scanDecimals(view, data, run);
    count = run.count;
    return run.at;
  }

  /** The value itself, or the 16 bits of the nearest one. */
  function toStored(value: number): number {
    if (datatype === 'FP64') return value;
    return datatype === 'FP16' ? floatToHalf(value) : floatToBfloat16(value);
  }

  function isInfinite(stored: number): boolean {
    if (datatype === 'FP64') return !Number.isFinite(stored);
    return (stored & 0x7fff) === (datatype === 'FP16' ? 0x7c00 : 0x7f80);
  }

  return {
    read,
    readElements: (at, where) => readElements(bytes, at, where, read, readPlain),
    count: () => count,
    take: () => (count === data.length ? data : data.subarray(0, count)),
  };
}

/** The value written at `at` where no number is, and its end. @throws NimifyError INVALID_INPUT: none either */
export function readNonFinite(
  bytes: Uint8Array,
  at: number,
  datatype: string,
  where: Where,
): { readonly value: number; readonly end: number } {
  for (const { text, value } of NON_FINITE)
    if (hasWord(bytes, at, text)) return { value, end: at + text.length };
  throw expectedError(where, `a number (${datatype})`, bytes, at);
}

const NON_FINITE = [
  { text: '"NaN"', value: Number.NaN },
  { text: '"Infinity"', value: Number.POSITIVE_INFINITY },
  { text: '"-Infinity"', value: Number.NEGATIVE_INFINITY },
  { text: 'NaN', value: Number.NaN },
  { text: 'Infinity', value: Number.POSITIVE_INFINITY },
  { text: '-Infinity', value: Number.NEGATIVE_INFINITY },
] as const;

export function overflowError(bytes: Uint8Array, at: number, end: number, datatype: string, where: Where) {
  const got = asciiText(bytes, at, Math.min(end, at + 40));
  return mismatchError(where, `a number within the range of ${datatype}, or the string "Infinity"`, got);
}

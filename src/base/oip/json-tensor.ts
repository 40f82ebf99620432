import type { Datatype } from '../tensor/datatype.ts';
import type { TensorData } from '../tensor/tensor.ts';
import { createElementReader } from './element-readers.ts';
import { elementsText, expectedError, mismatchError } from './json-error.ts';
import { skipSpace } from './json-value.ts';

/** Deepest nesting of a tensor's arrays, and so the highest rank. */
export const MAX_RANK = 32;

const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

export interface ScannedTensor {
  readonly data: TensorData;
  /** Lengths of the nested arrays, outermost first; `[]` where the value is a scalar. */
  readonly shape: readonly number[];
  /** Where the value ends. */
  readonly end: number;
}

/**
 * Reads one JSON value, nested arrays or a scalar, at `at` as elements of `datatype`, straight into the typed
 * array. What counts as an element is said at the readers: numbers (float-reader, integer-reader, long-reader),
 * booleans, or strings for BYTES. `where` names the place in errors; `expectedCount` saves growing where known.
 * @throws NimifyError INVALID_INPUT: no JSON, ragged or too deep nesting, an element the datatype cannot hold
 */
export function scanTensorValue(
  bytes: Uint8Array,
  at: number,
  datatype: Datatype,
  where: string,
  expectedCount = 0,
): ScannedTensor {
  at = skipSpace(bytes, at);
  // Every element takes a byte and a separator, so a lying shape cannot make us reserve more than the body.
  const mostElements = (bytes.length - at + 1) >> 1;
  const reader = createElementReader(bytes, datatype, Math.min(expectedCount, mostElements));
  if (bytes[at] !== OPEN_BRACKET) {
    const end = reader.read(at, where);
    return { data: reader.take(), shape: [], end };
  }

  /** By level: how long its arrays are, -1 until the first one ended; and how far the open one has come. */
  const lengths: number[] = [];
  const counts: number[] = [];
  let depth = 0;
  /** The level whose arrays hold elements; -1 until the first element or empty array. */
  let leafDepth = -1;

  const path = (): string =>
    where +
    counts
      .slice(0, depth)
      .map((count) => `[${count}]`)
      .join('');

  /** Elements in the arrays before the one that is being read, which are counted when it ends or is asked for. */
  let before = 0;
  const elementPath = (): string => {
    counts[depth - 1] = reader.count() - before;
    return path();
  };

  for (;;) {
    // Here begins a value within the open array (at first: the outermost array itself).
    if (bytes[at] === OPEN_BRACKET) {
      if (depth === leafDepth) throw expectedError(path(), `an element (${datatype})`, bytes, at);
      if (depth === MAX_RANK) throw mismatchError(path(), `at most ${MAX_RANK} levels of nesting`, 'more');
      counts[depth] = 0;
      if (lengths[depth] === undefined) lengths[depth] = -1;
      depth += 1;
      at = skipSpace(bytes, at + 1);
      if (bytes[at] !== CLOSE_BRACKET) continue;
      if (leafDepth === -1) leafDepth = depth;
    } else {
      if (leafDepth === -1) leafDepth = depth;
      else if (depth !== leafDepth) throw expectedError(path(), 'an array', bytes, at);
      before = reader.count();
      at = reader.readElements(at, elementPath);
      counts[depth - 1] = reader.count() - before;
    }

    // Here a value has ended: the array goes on, or ends, and perhaps those around it end as well.
    for (;;) {
      if (bytes[at] === CLOSE_BRACKET) {
        depth -= 1;
        const length = counts[depth]!;
        if (lengths[depth] === -1) lengths[depth] = length;
        else if (lengths[depth] !== length) {
          throw mismatchError(
            path(),
            `${elementsText(lengths[depth]!)} as in the arrays before`,
            String(length),
          );
        }
        at += 1;
        if (depth === 0) return { data: reader.take(), shape: lengths, end: at };
        counts[depth - 1]! += 1;
        at = skipSpace(bytes, at);
      } else if (bytes[at] === COMMA) {
        at = skipSpace(bytes, at + 1);
        break;
      } else throw expectedError(path(), "',' or ']'", bytes, at);
    }
  }
}

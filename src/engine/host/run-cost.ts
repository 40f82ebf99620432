import { isBytesData, type Tensor } from '../../base/tensor/tensor.ts';

/**
 * Predicts how long a run takes from the size of its inputs, to decide where it runs. Sizes fall into classes,
 * each twice as large as the one before; a class that was seen predicts what it took lately. One that was not
 * is extrapolated from the nearest smaller one, in proportion to size: too much where a fixed cost dominates (the
 * run then goes to a thread and teaches its class), too little where cost grows faster than size.
 *
 * Time is the wall's, so a run that was interrupted seems long: one observation counts for at most four times what
 * was predicted. A cost that did rise is believed within some runs.
 *
 * What depends on values alone (a loop's trip count) cannot be predicted.
 */
export interface RunCost {
  predictNs(sizeBytes: number): number;
  observe(sizeBytes: number, computeNs: number): void;
}

export interface RunExample {
  readonly sizeBytes: number;
  readonly computeNs: number;
}

/** @param example a run that was measured already. Without one nothing is known, so every run may take forever */
export function createRunCost(example?: RunExample): RunCost {
  const lately = new Float64Array(CLASSES);
  if (example !== undefined) observe(example.sizeBytes, example.computeNs);

  function observe(sizeBytes: number, computeNs: number): void {
    const at = classOf(sizeBytes);
    const before = lately[at]!;
    const believedNs = Math.min(computeNs, MOST_AT_ONCE * predictNs(sizeBytes));
    lately[at] = before === 0 ? believedNs : before + (believedNs - before) * WEIGHT_OF_NEWEST;
  }

  function predictNs(sizeBytes: number): number {
    const at = classOf(sizeBytes);
    for (let smaller = at; smaller >= 0; smaller--) {
      if (lately[smaller]! > 0) return lately[smaller]! * 2 ** (at - smaller);
    }
    return lately.find((known) => known > 0) ?? Number.POSITIVE_INFINITY;
  }

  return { observe, predictNs };
}

/** Classes up to 2^52 bytes. */
const CLASSES = 53;
const WEIGHT_OF_NEWEST = 0.2;
const MOST_AT_ONCE = 4;

function classOf(sizeBytes: number): number {
  if (sizeBytes < 2 ** 31) return 31 - Math.clz32(Math.max(1, sizeBytes));
  return Math.min(CLASSES - 1, Math.floor(Math.log2(sizeBytes)));
}

export function sizeOf(tensors: readonly Tensor[]): number {
  let bytes = 0;
  for (const { data } of tensors) {
    bytes += isBytesData(data) ? data.offsets.byteLength + data.bytes.byteLength : data.byteLength;
  }
  return bytes;
}

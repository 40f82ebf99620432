/** Sizes tried for a dynamic dimension, in this order: small first, then what images and sequences come in. */
export const CANDIDATE_SIZES: readonly number[] = [
  1, 2, 3, 4, 8, 16, 32, 64, 128, 224, 256, 512, 640, 768, 1024,
];

/** Size by key of `dimensionKeys`. */
export type Dimensions = Readonly<Record<string, number>>;

/**
 * Sizes for dynamic dimensions, likeliest first: from the smallest size on, one that differs while the others are
 * 1 (a sequence's length), then all the same (an image's height and width); then every other combination, those
 * of small sizes first.
 */
export function* dimensionChoices(keys: readonly string[]): Generator<Dimensions> {
  if (keys.length === 0) {
    yield {};
    return;
  }
  for (const size of CANDIDATE_SIZES) {
    if (size > 1 && keys.length > 1) {
      for (const odd of keys) yield Object.fromEntries(keys.map((key) => [key, key === odd ? size : 1]));
    }
    yield Object.fromEntries(keys.map((key) => [key, size]));
  }
  if (keys.length === 1) return;
  const largestSum = keys.length * (CANDIDATE_SIZES.length - 1);
  for (let sum = 2; sum <= largestSum; sum++) {
    for (const indexes of indexesWithSum(keys.length, sum)) {
      if (!wasTried(indexes)) {
        yield Object.fromEntries(keys.map((key, at) => [key, CANDIDATE_SIZES[indexes[at]!]!]));
      }
    }
  }
}

/** All equal, or all but one at 0: those came first. */
function wasTried(indexes: readonly number[]): boolean {
  const isUniform = indexes.every((index) => index === indexes[0]);
  return isUniform || indexes.filter((index) => index !== 0).length === 1;
}

function* indexesWithSum(count: number, sum: number): Generator<readonly number[]> {
  if (count === 1) {
    if (sum < CANDIDATE_SIZES.length) yield [sum];
    return;
  }
  for (let first = Math.min(sum, CANDIDATE_SIZES.length - 1); first >= 0; first--) {
    for (const rest of indexesWithSum(count - 1, sum - first)) yield [first, ...rest];
  }
}

/**
 * A repeatable stream of numbers uniform in [0, 1), for examples and proofs that must come out the same on every
 * start. SplitMix32: a Weyl sequence through a 32-bit finaliser (Steele, Lea, Flood: Fast Splittable
 * Pseudorandom Number Generators, 2014). Not for secrets.
 */
export function createSeededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createManySingles } from './many-singles.ts';
import { LONGEST_NUMBER } from './number-text.ts';
import { writeSingles } from './single-text.ts';

const many = createManySingles();
if (many === undefined) throw new Error('WebAssembly did not start');
const { numbers, text, write } = many;
const bits = new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);
const expected = Buffer.alloc(numbers.length * (LONGEST_NUMBER + 1));

/** Fails where the first `count` numbers do not get the text that `writeSingles` gives them. */
function compare(count: number): void {
  const before = numbers.slice(0, count);
  const length = write(count);
  const end = writeSingles(before, 0, count, expected, 0);
  expected[end] = ','.charCodeAt(0);
  if (expected.compare(text, 0, length, 0, end + 1) === 0) return;
  const ours = Buffer.from(text.subarray(0, length)).toString().split(',');
  const theirs = expected.subarray(0, end).toString().split(',');
  const at = theirs.findIndex((one, index) => one !== ours[index]);
  expect.fail(`${before[at]} became ${ours[at]} instead of ${theirs[at]}`);
}

/** Takes all of `values`, bit patterns, a memory full at a time. */
function compareAll(values: Iterable<number>): void {
  let count = 0;
  for (const value of values) {
    bits[count] = value;
    count += 1;
    if (count < bits.length) continue;
    compare(count);
    count = 0;
  }
  if (count > 0) compare(count);
}

/** An odd number of bit patterns apart, so that all exponents and endings of fractions come. */
const STRIDE = 16_381;

function* strided(): Iterable<number> {
  for (let pattern = 0; pattern < 2 ** 32; pattern += STRIDE) yield pattern;
}

/** The ends of each run of equal exponents, of either sign. */
function* ends(): Iterable<number> {
  for (let upper = 0; upper < 512; upper++) {
    for (const fraction of [0, 1, 2, 3, 0x333333, 0x400000, 0x7ffffe, 0x7fffff])
      yield upper * 2 ** 23 + fraction;
  }
}

const word = new Uint32Array(1);
const single = new Float32Array(word.buffer);
function bitsOf(value: number): number {
  single[0] = value;
  return word[0]!;
}

/** What is written in few digits, and its neighbours. */
function* short(): Iterable<number> {
  for (let exponent = -45; exponent <= 38; exponent++) {
    for (let digits = 1; digits < 1000; digits++) {
      const pattern = bitsOf(Number(`${digits}e${exponent}`));
      yield pattern;
      yield pattern - 1;
      yield pattern + 1;
    }
  }
}

describe('many singles', () => {
  it('are written as one by one: a quarter million of all bit patterns', () => {
    compareAll(strided());
  });

  it('are written as one by one: the ends of every exponent', () => {
    compareAll(ends());
  });

  it('are written as one by one: short decimals and their neighbours', () => {
    compareAll(short());
  });

  it('are written as one by one: integers', () => {
    compareAll(Array.from({ length: 40_000 }, (_, index) => bitsOf(index - 20_000)));
  });

  it('may be any number of them, of any kind side by side', () => {
    const pattern = fc.oneof(
      fc.nat(0xffffffff),
      fc.float({ min: Math.fround(-2), max: Math.fround(2) }).map(bitsOf),
      fc.constantFrom(0, -0, 1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, -1e-45).map(bitsOf),
    );
    fc.assert(
      fc.property(fc.array(pattern, { minLength: 1, maxLength: numbers.length }), (patterns) => {
        bits.set(patterns);
        compare(patterns.length);
      }),
    );
  });

  it('stay within memory where all are as long as can be', () => {
    numbers.fill(Math.fround(-1.0000001e-6));
    compare(numbers.length);
    numbers.fill(Number.NEGATIVE_INFINITY);
    compare(numbers.length);
    expect(text.length).toBeGreaterThanOrEqual(numbers.length * (LONGEST_NUMBER + 1));
  });
});

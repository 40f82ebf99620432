import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { either, f32, f64, i32, i64, loop, select, type Value, v128 } from './instructions.ts';
import { callImport, createVariables, moduleBytes, startProgram } from './module.ts';

const PAGE = new Uint8Array(256);
for (let at = 0; at < PAGE.length; at++) PAGE[at] = at;

/** What the expression comes to, above memory in which each of the first bytes is its own address. */
function run(result: Value<'i32'>): number {
  const bytes = moduleBytes({
    importTakes: [],
    variables: createVariables(),
    parameters: 0,
    body: [],
    result,
  });
  const program = startProgram(bytes, () => () => 0);
  if (program === undefined) throw new Error('the program did not start');
  new Uint8Array(program.memory).set(PAGE);
  return program.run();
}

const half = f64.add(0.25, 0.25);

describe('expressions', () => {
  it.each([
    ['i32.load', i32.load(1, 2), 0x06050403],
    ['i32.load with an offset of two bytes', i32.load(1, 200), 0xcccbcac9 | 0],
    ['i32.load8s', i32.load8s(0xff), -1],
    ['i32.load8u', i32.load8u(0xff), 255],
    ['i32.eqz', i32.eqz(0), 1],
    ['i32.lessS', i32.lessS(-1, 0), 1],
    ['i32.lessU', i32.lessU(-1, 0), 0],
    ['i32.lessOrEqualS', i32.lessOrEqualS(-1, -1), 1],
    ['i32.add', i32.add(0x7fffffff, 1), -0x80000000],
    ['i32.sub', i32.sub(3, 5), -2],
    ['i32.mul', i32.mul(-3, 5), -15],
    ['i32.divideU', i32.divideU(-1, 10), 429496729],
    ['i32.and', i32.and(0b1100, 0b1010), 0b1000],
    ['i32.shiftLeft', i32.shiftLeft(3, 4), 48],
    ['i32.shiftRightU', i32.shiftRightU(-1, 28), 15],
    ['i64.load', i32.wrap(i64.shiftRightU(i64.load(8), 56n)), 15],
    ['i64.leadingZeros', i32.wrap(i64.leadingZeros(255n)), 56],
    ['i64.add and i32.wrap', i32.wrap(i64.add(0x1_0000_0001n, 1n)), 2],
    ['i64.sub', i32.wrap(i64.sub(1n, 2n)), -1],
    ['i64.mul', i32.wrap(i64.shiftRightU(i64.mul(0x1_0000_0000n, 6n), 33n)), 3],
    ['i64.and', i32.wrap(i64.and(0b1100n, 0b1010n)), 0b1000],
    ['i64.or', i32.wrap(i64.or(0b1100n, 0b1010n)), 0b1110],
    ['i64.shiftLeft', i32.wrap(i64.shiftRightU(i64.shiftLeft(1n, 63n), 62n)), 2],
    ['i64.extendU', i32.wrap(i64.shiftRightU(i64.extendU(-1), 32n)), 0],
    ['i64.ofBits', i32.wrap(i64.shiftRightU(i64.ofBits(1.5), 48n)), 0x3ff8],
    ['f32.ofBits', f64.lessOrEqual(f64.promote(f32.ofBits(0x3fc00000)), 1.5), 1],
    ['f64.lessOrEqual', f64.lessOrEqual(half, 0.49), 0],
    ['f64.abs', f64.lessOrEqual(1, f64.abs(-1)), 1],
    ['f64.floor', f64.lessOrEqual(f64.floor(f64.add(half, 1)), 1), 1],
    ['f64.sub', f64.lessOrEqual(f64.sub(half, 1), -0.5), 1],
    ['f64.mul', f64.lessOrEqual(f64.mul(half, half), 0.25), 1],
    ['select', select(i32.add(1, 1), i32.add(2, 2), i32.eqz(1)), 4],
  ])('%s', (_name, result, expected) => {
    expect(run(result)).toBe(expected);
  });

  it('encodes constants of any size', () => {
    for (const value of [0, 63, 64, -64, -65, 127, 128, 8191, 8192, 2 ** 31 - 1, -(2 ** 31)]) {
      expect(run(i32.add(value, 0))).toBe(value);
    }
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        expect(run(i32.wrap(i64.add(value, 0n)))).toBe(Number(BigInt.asIntN(32, value)));
        expect(run(i32.wrap(i64.shiftRightU(value, 32n)))).toBe(Number(BigInt.asIntN(32, value >> 32n)));
      }),
      { numRuns: 50 },
    );
  });
});

describe('statements', () => {
  it('loops, branches, stores, and calls', () => {
    const variables = createVariables();
    const count = variables.add('i32');
    const sum = variables.add('i32');
    const odd = i32.and(count, 1);
    const bytes = moduleBytes({
      importTakes: ['f32', 'i32'],
      variables,
      parameters: 1,
      body: [
        loop(
          [
            either(odd, [sum.set(callImport(f32.load(0), sum))], [sum.set(i32.add(sum, count))]),
            i32.store8(i32.add(count, 16), count),
            count.set(i32.sub(count, 1)),
          ],
          count,
        ),
        i64.store(32, 0x0102_0304_0506_0708n),
        v128.store(
          48,
          v128.swizzle(v128.ofWords(0x0706_0504_0302_0100n, 0x0f0e_0d0c_0b0a_0908n), v128.load(64)),
        ),
      ],
      result: sum,
    });
    const calls: number[][] = [];
    const program = startProgram(bytes, (memory) => {
      new Float32Array(memory)[0] = 1.5;
      new Uint8Array(memory).set([15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0], 64);
      return (value, at) => {
        calls.push([value!, at!]);
        return at! + 100;
      };
    });
    expect(program?.run(4)).toBe(206);
    expect(calls).toEqual([
      [1.5, 4],
      [1.5, 106],
    ]);
    const memory = new Uint8Array(program!.memory);
    expect([...memory.subarray(17, 21)]).toEqual([1, 2, 3, 4]);
    expect([...memory.subarray(32, 40)]).toEqual([8, 7, 6, 5, 4, 3, 2, 1]);
    expect([...memory.subarray(48, 64)]).toEqual([15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
  });
});

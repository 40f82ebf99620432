import type { Value } from '../wasm/instructions.ts';
import { either, f32, f64, i32, i64, loop, select, v128 } from '../wasm/instructions.ts';
import { callImport, createVariables, moduleBytes } from '../wasm/module.ts';
import { EXPONENT, LAYOUT, RECORD_SHIFT } from './single-tables.ts';

const MINUS = 0x2d;
const FRACTION = 0x7fffff;
const MAGNITUDE = 0x7fffffff;
/** The lower bits of a double from here to 2^53 are its integer part. */
const INTEGERS = 2 ** 52;
/** In a vector's upper half: the characters 0 and point above the first digit. */
const CHARACTERS = 0x30_2e_30n;

/**
 * `run(from, to, at)`: writes the FP32 numbers at addresses [from, to), at least one, with a comma after each, to `at`
 * on, and returns where the text ends. It writes up to 24 bytes further. What the tables call other is left to the
 * import: `call(value, at)` writes one number and its comma, and returns where they end.
 *
 * The text is that of `writeSingles`, found in the same doubles. It does not branch on what is as good as random, since a
 * branch that is guessed wrong takes half as long as a number: which of the two candidates it is, how many digits there are
 * (zeros at the end are written and then overwritten), where the point stands (an order of bytes from a table), and
 * whether there is an exponent.
 */
export function singleProgram(): Uint8Array<ArrayBuffer> {
  const variables = createVariables();
  const from = variables.add('i32');
  const to = variables.add('i32');
  const at = variables.add('i32');
  const bits = variables.add('i32');
  const exponent = variables.add('i32');
  const scaled = variables.add('f64');
  const tenth = variables.add('f64');
  const digits = variables.add('i32');
  const isBelow = variables.add('i32');
  const first = variables.add('i32');
  const upper = variables.add('i32');
  const pairs = variables.add('i64');
  const rest = variables.add('i64');
  const count = variables.add('i32');
  const layout = variables.add('i32');

  const isPower = i32.eqz(i32.and(bits, FRACTION));
  const isOther = i32.and(i32.shiftRightU(i32.load8u(exponent, EXPONENT.isOther), isPower), 1);

  /**
   * The nearest integer, or ten times the nearest tenth where the interval reaches to that: up to nine digits, of which
   * the first or the first two are zeros. To which side a tenth is rounded from the middle does not matter: no interval is so
   * wide.
   */
  const findDigits = [
    scaled.set(
      f64.mul(f64.promote(f32.ofBits(i32.and(bits, MAGNITUDE))), f64.load(exponent, EXPONENT.scale)),
    ),
    tenth.set(f64.mul(f64.sub(f64.add(f64.mul(scaled, 0.1), INTEGERS), INTEGERS), 10)),
    digits.set(
      select(
        toInteger(tenth),
        toInteger(f64.floor(f64.add(scaled, 0.5))),
        f64.lessOrEqual(f64.abs(f64.sub(tenth, scaled)), f64.load(exponent, EXPONENT.reach)),
      ),
    ),
    isBelow.set(i32.lessS(digits, i32.load(exponent, EXPONENT.power))),
    layout.set(i32.load(i32.add(exponent, i32.shiftLeft(isBelow, 2)), EXPONENT.layouts)),
  ];

  /**
   * The first digit; and the other eight as eight bytes, the leading one lowest: split into numbers below 10^4, below
   * 10^2 and below 10, all of one size at once, dividing by a multiplication that is exact for them.
   * (Khuong, "How to print integers really fast", 2017.)
   */
  const splitDigits = [
    first.set(i32.divideU(digits, 1e8)),
    upper.set(i32.divideU(digits, 1e4)),
    pairs.set(
      i64.or(
        i64.extendU(i32.sub(upper, i32.mul(first, 1e4))),
        i64.shiftLeft(i64.extendU(i32.sub(digits, i32.mul(upper, 1e4))), 32n),
      ),
    ),
    rest.set(i64.and(i64.shiftRightU(i64.mul(pairs, 10486n), 20n), 0x7f_0000_007fn)),
    pairs.set(i64.add(rest, i64.shiftLeft(i64.sub(pairs, i64.mul(rest, 100n)), 16n))),
    rest.set(i64.and(i64.shiftRightU(i64.mul(pairs, 103n), 10n), 0x000f_000f_000f_000fn)),
    pairs.set(i64.add(rest, i64.shiftLeft(i64.sub(pairs, i64.mul(rest, 10n)), 8n))),
    // Without the zeros at the end, which are the highest bytes.
    count.set(i32.sub(9, i32.shiftRightU(i32.wrap(i64.leadingZeros(pairs)), 3))),
  ];

  const vector = v128.ofWords(i64.or(pairs, 0x3030_3030_3030_3030n), i64.add(i64.extendU(first), CHARACTERS));
  const layOut = [
    i32.store8(at, MINUS),
    at.set(i32.add(at, i32.shiftRightU(bits, 31))),
    v128.store(at, v128.swizzle(vector, v128.load(layout, LAYOUT.order))),
    at.set(
      i32.add(
        at,
        select(
          i32.load8s(layout, LAYOUT.whole),
          i32.add(count, i32.load8s(layout, LAYOUT.extra)),
          i32.lessOrEqualS(count, i32.load8s(layout, LAYOUT.before)),
        ),
      ),
    ),
    i64.store(at, i64.load(layout, LAYOUT.tail)),
    at.set(i32.add(at, i32.load8s(layout, LAYOUT.tailLength))),
  ];

  const writeNext = [
    bits.set(i32.load(from)),
    exponent.set(i32.shiftLeft(i32.shiftRightU(bits, 23), RECORD_SHIFT)),
    either(isOther, [at.set(callImport(f32.load(from), at))], [...findDigits, ...splitDigits, ...layOut]),
    from.set(i32.add(from, 4)),
  ];
  return moduleBytes({
    importTakes: ['f32', 'i32'],
    variables,
    parameters: 3,
    body: [loop(writeNext, i32.lessU(from, to))],
    result: at,
  });
}

/** A double that is an integer below 2^31. */
function toInteger(value: Value<'f64'>): Value<'i32'> {
  return i32.wrap(i64.ofBits(f64.add(value, INTEGERS)));
}

import { DECIMALS, HALF_GAP, SCALE } from './single-scale.ts';

/**
 * What single-program.ts looks up, and where that stands in its page of memory: a record for each of the upper nine
 * bits of an FP32 (sign and exponent), which says how to get at its digits; one for each place of the decimal point,
 * which says how they are laid out; then the numbers, and their text.
 */
export const RECORD_SHIFT = 5;
const RECORD_BYTES = 1 << RECORD_SHIFT;

/**
 * By sign and exponent. `scale`, `reach` (half the distance to the next value, less a margin) as FP64. `power`, a
 * power of ten: the digits that were found are one more from there on. `factors`, two bytes: by what they are
 * multiplied to become nine, from `power` on and below. `layout`, the address of that from `power` on; that below it stands
 * before it. `isOther`: whether the value is left to JavaScript, in bit 0, and in bit 1 for one whose fraction is 0.
 */
export const EXPONENT = { scale: 0, reach: 8, power: 16, layout: 20, factors: 24, isOther: 26 };

/**
 * By place of the point. `order`: where 16 bytes of text come from. `tail`: what follows, in 8 bytes, with the comma, and
 * `tailLength` of them. Without the tail, a number that has no more digits than `before` takes `whole` bytes; others
 * take `extra` more than they have digits.
 */
export const LAYOUT = { order: 0, tail: 16, tailLength: 24, before: 25, whole: 26, extra: 27 };

/** Digits before the point, below 0 for zeros after it: from 1.2e-38, below which values are other, to 3.4e38. */
const LOWEST_POINT = -37;
const HIGHEST_POINT = 39;
const LAYOUTS_AT = 512 * RECORD_BYTES;

/** So many have room, as has their text with 33 bytes each. */
export const MOST_NUMBERS = 1024;
export const NUMBERS_AT = layoutAt(HIGHEST_POINT + 1);
export const TEXT_AT = NUMBERS_AT + MOST_NUMBERS * 4;

/** Powers of two whose digits the program finds: those with these exponent bits, 2^-46 to 2^44. */
const FIRST_POWER = 81;
const LAST_POWER = 171;

/**
 * Integers from 2^24 up to below 2^31 are written with all their digits. They are their own up to 2^29; above, there may be
 * ten.
 */
const FIRST_LARGE = 151;
const FIRST_LONG = 156;
const LAST_LONG = 157;
const SIGN = 0x100;
const LOWEST_INT32 = SIGN | 158;

export function writeSingleTables(memory: ArrayBuffer): void {
  for (let upper = 0; upper < 512; upper++) {
    writeExponent(upper, new DataView(memory, upper * RECORD_BYTES, RECORD_BYTES));
  }
  for (let point = LOWEST_POINT; point <= HIGHEST_POINT; point++) {
    writeLayout(point, new DataView(memory, layoutAt(point), RECORD_BYTES));
  }
}

function layoutAt(point: number): number {
  return LAYOUTS_AT + (point - LOWEST_POINT) * RECORD_BYTES;
}

function writeExponent(upper: number, record: DataView): void {
  const exponentBits = upper & 0xff;
  const isLong = exponentBits >= FIRST_LONG && exponentBits <= LAST_LONG;
  if (exponentBits === 0 || exponentBits === 0xff || isLong) {
    // Zero is written here, unless it is negative: its digit is 0, which is below any power.
    record.setUint8(EXPONENT.isOther, upper === 0 ? 0b01 : 0b11);
    record.setInt32(EXPONENT.power, 1, true);
    record.setInt32(EXPONENT.layout, layoutAt(2), true);
    return;
  }
  const isLarge = exponentBits >= FIRST_LARGE && exponentBits < FIRST_LONG;
  const scale = isLarge ? 1 : SCALE[exponentBits]!;
  const decimals = isLarge ? 0 : DECIMALS[exponentBits]!;
  const digits = 2 ** (exponentBits - 127) * scale < 1e7 ? 7 : 8;
  record.setFloat64(EXPONENT.scale, scale, true);
  // What the writer in JavaScript takes for 0 is less than 2^-24.
  record.setFloat64(EXPONENT.reach, isLarge ? -1 : HALF_GAP[exponentBits]! - 2 ** -24, true);
  record.setInt32(EXPONENT.power, 10 ** digits, true);
  record.setInt32(EXPONENT.layout, layoutAt(digits + 1 - decimals), true);
  record.setUint8(EXPONENT.factors, 10 ** (8 - digits));
  record.setUint8(EXPONENT.factors + 1, 10 ** (9 - digits));
  const isFound = exponentBits >= FIRST_POWER && exponentBits <= LAST_POWER && upper !== LOWEST_INT32;
  record.setUint8(EXPONENT.isOther, isFound ? 0 : 0b10);
}

/** Places in the vector that the program makes: the last eight of nine digits, the first, a point and a zero. */
const DIGITS = [8, 0, 1, 2, 3, 4, 5, 6, 7];
const POINT = 9;
const NAUGHT = 10;

/** The notation that JavaScript picks: plain from 1e-6 up to below 1e21. */
function writeLayout(point: number, record: DataView): void {
  if (point < -5 || point > 21) {
    const tail = `e${point > 0 ? '+' : '-'}${Math.abs(point - 1)},`;
    setLayout(record, { order: withPoint(1), tail, before: 1, whole: 1, extra: 1 });
  } else if (point <= 0) {
    const order = [NAUGHT, POINT, ...zeros(-point), ...DIGITS];
    setLayout(record, { order, tail: ',', before: 0, whole: 0, extra: 2 - point });
  } else if (point < 9) {
    setLayout(record, { order: withPoint(point), tail: ',', before: point, whole: point, extra: 1 });
  } else {
    const tail = `${'0'.repeat(Math.max(point - 16, 0))},`;
    setLayout(record, {
      order: [...DIGITS, ...zeros(7)],
      tail,
      before: 9,
      whole: Math.min(point, 16),
      extra: 0,
    });
  }
}

function withPoint(before: number): number[] {
  return [...DIGITS.slice(0, before), POINT, ...DIGITS.slice(before)];
}

function zeros(count: number): number[] {
  return new Array<number>(count).fill(NAUGHT);
}

interface Layout {
  readonly order: readonly number[];
  readonly tail: string;
  readonly before: number;
  readonly whole: number;
  readonly extra: number;
}

function setLayout(record: DataView, { order, tail, before, whole, extra }: Layout): void {
  for (let index = 0; index < order.length; index++) {
    record.setUint8(LAYOUT.order + index, order[index]!);
  }
  for (let index = 0; index < tail.length; index++) {
    record.setUint8(LAYOUT.tail + index, tail.charCodeAt(index));
  }
  record.setInt8(LAYOUT.tailLength, tail.length);
  record.setInt8(LAYOUT.before, before);
  record.setInt8(LAYOUT.whole, whole);
  record.setInt8(LAYOUT.extra, extra);
}

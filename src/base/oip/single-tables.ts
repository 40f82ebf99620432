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
 * power of ten: the digits that were found are one more from there on. `layouts`, the address of that from `power` on and
 * of that below. `isOther`: whether the value is left to JavaScript, in bit 0, and in bit 1 for one whose fraction is 0.
 */
export const EXPONENT = { scale: 0, reach: 8, power: 16, layouts: 20, isOther: 28 };

/**
 * By place of the point, and by how many of the nine digits are leading zeros. `order`: where 16 bytes of text come from.
 * `tail`: what follows, in 8 bytes, with the comma, and `tailLength` of them. Without the tail, a number whose last digit
 * other than 0 is among the first `before` takes `whole` bytes; others take `extra` more than that digit's place.
 */
export const LAYOUT = { order: 0, tail: 16, tailLength: 24, before: 25, whole: 26, extra: 27 };

/** Digits before the point, below 0 for zeros after it: from 1.2e-38, below which values are other, to 3.4e38. */
const LOWEST_POINT = -37;
const HIGHEST_POINT = 39;
const MOST_ZEROS = 2;
const LAYOUTS_AT = 512 * RECORD_BYTES;

/** So many have room, as has their text with 33 bytes each. */
export const MOST_NUMBERS = 1024;
export const NUMBERS_AT = layoutAt(HIGHEST_POINT + 1, 0);
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
    for (let zeros = 0; zeros <= MOST_ZEROS; zeros++) {
      writeLayout(point, zeros, new DataView(memory, layoutAt(point, zeros), RECORD_BYTES));
    }
  }
}

function layoutAt(point: number, zeros: number): number {
  return LAYOUTS_AT + ((point - LOWEST_POINT) * (MOST_ZEROS + 1) + zeros) * RECORD_BYTES;
}

function writeExponent(upper: number, record: DataView): void {
  const exponentBits = upper & 0xff;
  const isLong = exponentBits >= FIRST_LONG && exponentBits <= LAST_LONG;
  if (exponentBits === 0 || exponentBits === 0xff || isLong) {
    // Zero is written here, unless it is negative: its digit is 0, which is below any power.
    record.setUint8(EXPONENT.isOther, upper === 0 ? 0b01 : 0b11);
    record.setInt32(EXPONENT.power, 1, true);
    record.setInt32(EXPONENT.layouts + 4, layoutAt(1, 0), true);
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
  record.setInt32(EXPONENT.layouts, layoutAt(digits + 1 - decimals, 8 - digits), true);
  record.setInt32(EXPONENT.layouts + 4, layoutAt(digits - decimals, 9 - digits), true);
  const isFound = exponentBits >= FIRST_POWER && exponentBits <= LAST_POWER && upper !== LOWEST_INT32;
  record.setUint8(EXPONENT.isOther, isFound ? 0 : 0b10);
}

/** Places in the vector that the program makes: the last eight of nine digits, the first, a point and a zero. */
const DIGITS = [8, 0, 1, 2, 3, 4, 5, 6, 7];
const POINT = 9;
const NAUGHT = 10;

/** The notation that JavaScript picks: plain from 1e-6 up to below 1e21. */
function writeLayout(point: number, leadingZeros: number, record: DataView): void {
  const digits = DIGITS.slice(leadingZeros);
  const withPoint = (before: number) => [...digits.slice(0, before), POINT, ...digits.slice(before)];
  if (point < -5 || point > 21) {
    setOrder(record, withPoint(1));
    setTail(record, `e${point > 0 ? '+' : '-'}${Math.abs(point - 1)},`);
    setLengths(record, { before: leadingZeros + 1, whole: 1, extra: 1 - leadingZeros });
  } else if (point <= 0) {
    setOrder(record, [NAUGHT, POINT, ...noughts(-point), ...digits]);
    setTail(record, ',');
    setLengths(record, { before: 0, whole: 0, extra: 2 - point - leadingZeros });
  } else if (point < digits.length) {
    setOrder(record, withPoint(point));
    setTail(record, ',');
    setLengths(record, { before: leadingZeros + point, whole: point, extra: 1 - leadingZeros });
  } else {
    setOrder(record, [...digits, ...noughts(16 - digits.length)]);
    setTail(record, `${'0'.repeat(Math.max(point - 16, 0))},`);
    setLengths(record, { before: 9, whole: Math.min(point, 16), extra: 0 });
  }
}

function noughts(count: number): number[] {
  return new Array<number>(count).fill(NAUGHT);
}

function setOrder(record: DataView, order: readonly number[]): void {
  for (let index = 0; index < order.length; index++) record.setUint8(LAYOUT.order + index, order[index]!);
}

function setTail(record: DataView, tail: string): void {
  for (let index = 0; index < tail.length; index++) {
    record.setUint8(LAYOUT.tail + index, tail.charCodeAt(index));
  }
  record.setInt8(LAYOUT.tailLength, tail.length);
}

function setLengths(
  record: DataView,
  { before, whole, extra }: { readonly before: number; readonly whole: number; readonly extra: number },
): void {
  record.setInt8(LAYOUT.before, before);
  record.setInt8(LAYOUT.whole, whole);
  record.setInt8(LAYOUT.extra, extra);
}

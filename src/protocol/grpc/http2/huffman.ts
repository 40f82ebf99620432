/**
 * The string code of HPACK (RFC 7541, appendix B). It is canonical: codes of one length are numbers in a row, in the
 * order of their symbols, so that the lengths say all of it.
 */
// biome-ignore format: a row for each sixteen bytes
const CODE_LENGTHS = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
  5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
  6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
];

const LONGEST_CODE = 30;
/** No code is longer than this but those of bytes that texts hardly have. */
const QUICK_BITS = 8;

/** For each length the first code, and where its symbols begin in SYMBOLS. The end of string is the last of 30 bits. */
const FIRST_CODE = new Uint32Array(LONGEST_CODE + 2);
const FIRST_SYMBOL = new Uint16Array(LONGEST_CODE + 2);
const SYMBOLS = new Uint8Array(256);
/** For each eight bits the symbol whose code they begin with, and its length above; 0: it is longer. */
const QUICK = new Uint16Array(1 << QUICK_BITS);
let isFilled = false;

/** When the first text is read that is so coded: a start does not pay for it. */
function fillTables(): void {
  isFilled = true;
  let code = 0;
  let count = 0;
  for (let length = 1; length <= LONGEST_CODE + 1; length += 1) {
    code *= 2;
    FIRST_CODE[length] = code;
    FIRST_SYMBOL[length] = count;
    for (const [symbol, codeLength] of CODE_LENGTHS.entries()) {
      if (codeLength !== length) continue;
      SYMBOLS[count] = symbol;
      count += 1;
      if (length <= QUICK_BITS) {
        const spare = QUICK_BITS - length;
        QUICK.fill((length << 8) | symbol, code << spare, (code + 1) << spare);
      }
      code += 1;
    }
  }
}

/**
 * @returns the bytes that `coded` stands for; undefined where it is no proper code: it has the end of string in it, or
 *   ends in anything but up to seven ones (RFC 7541, 5.2)
 */
export function decodeHuffman(coded: Uint8Array): Buffer | undefined {
  if (!isFilled) fillTables();
  const into = Buffer.allocUnsafe(Math.ceil((coded.length * 8) / 5));
  let length = 0;
  /** Bits that are read and not used, in the lowest `held` ones. */
  let bits = 0;
  let held = 0;
  let at = 0;
  for (;;) {
    while (held < QUICK_BITS && at < coded.length) {
      bits = ((bits << 8) | coded[at]!) & 0xffffff;
      at += 1;
      held += 8;
    }
    if (held === 0) return into.subarray(0, length);
    const ahead =
      held >= QUICK_BITS ? bits >>> (held - QUICK_BITS) : (bits << (QUICK_BITS - held)) | PADDING[held]!;
    const quick = QUICK[ahead & 0xff]!;
    const codeLength = quick >>> 8;
    if (codeLength > held) return isPadding(bits, held) ? into.subarray(0, length) : undefined;
    if (codeLength > 0) {
      into[length] = quick;
      length += 1;
      held -= codeLength;
      bits &= (1 << held) - 1;
      continue;
    }
    // The code is longer: bit by bit.
    let code = 0;
    let used = 0;
    for (;;) {
      if (held === 0) {
        if (at === coded.length) return isPadding(code, used) ? into.subarray(0, length) : undefined;
        bits = coded[at]!;
        at += 1;
        held = 8;
      }
      held -= 1;
      code = code * 2 + ((bits >>> held) & 1);
      used += 1;
      if (used > LONGEST_CODE) return undefined;
      const index = code - FIRST_CODE[used]!;
      if (index >= 0 && index < FIRST_SYMBOL[used + 1]! - FIRST_SYMBOL[used]!) {
        into[length] = SYMBOLS[FIRST_SYMBOL[used]! + index]!;
        length += 1;
        bits &= (1 << held) - 1;
        break;
      }
    }
  }
}

/** What stands in for bits that are not there: ones, as in the padding. */
const PADDING = Array.from({ length: QUICK_BITS + 1 }, (_, held) => (1 << (QUICK_BITS - held)) - 1);

/** Fewer than eight bits, all ones. */
function isPadding(bits: number, count: number): boolean {
  return count < 8 && bits === 2 ** count - 1;
}

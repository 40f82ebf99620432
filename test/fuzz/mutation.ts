import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';

/** One change to a file. Positions are fractions of its length, so that they fit files of any size. */
interface Change {
  readonly kind: 'flip' | 'set' | 'number' | 'insert' | 'remove' | 'repeat' | 'move' | 'cut';
  readonly at: number;
  readonly from: number;
  readonly bits: number;
  readonly piece: Uint8Array;
  readonly length: number;
}

/** Lengths, counts and offsets at the ends of their ranges, as little-endian words of 32 bits. */
const NUMBERS = [
  0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff,
];

const fraction = fc.oneof(
  fc.double({ min: 0, max: 1, noNaN: true }),
  // Headers stand at the beginning, and much that goes wrong goes wrong there.
  fc.double({ min: 0, max: 0.05, noNaN: true }),
);

function changeWith(pieces: readonly Uint8Array[]): fc.Arbitrary<Change> {
  return fc.record({
    kind: fc.constantFrom('flip', 'set', 'number', 'insert', 'remove', 'repeat', 'move', 'cut'),
    at: fraction,
    from: fraction,
    bits: fc.integer({ min: 0, max: 255 }),
    piece: fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 8 }),
      ...(pieces.length > 0 ? [fc.constantFrom(...pieces)] : []),
    ),
    length: fc.oneof(fc.integer({ min: 1, max: 16 }), fc.integer({ min: 1, max: 4096 })),
  });
}

function apply(bytes: Uint8Array, { kind, at, from, bits, piece, length }: Change): Uint8Array {
  const position = Math.floor(at * bytes.length);
  const source = Math.floor(from * bytes.length);
  const before = bytes.subarray(0, position);
  const after = bytes.subarray(position);
  switch (kind) {
    case 'cut':
      return before;
    case 'insert':
      return Buffer.concat([before, piece, after]);
    case 'remove':
      return Buffer.concat([before, after.subarray(length)]);
    case 'repeat':
      return Buffer.concat([before, bytes.subarray(source, source + length), after]);
    default: {
      const changed = Uint8Array.from(bytes);
      if (kind === 'move') changed.copyWithin(position, source, source + length);
      else if (kind === 'set') changed.set(piece.subarray(0, after.length), position);
      else if (kind === 'flip') {
        if (position < changed.length) changed[position]! ^= 1 << (bits % 8);
      } else if (changed.length >= 4) {
        const aligned = Math.min(position, changed.length - 4) & ~3;
        new DataView(changed.buffer).setUint32(aligned, NUMBERS[bits % NUMBERS.length]!, true);
      }
      return changed;
    }
  }
}

/**
 * Files of the corpus with up to eight changes each.
 * @param words what is put in besides random bytes: the words of the format
 */
export function mutated(
  corpus: readonly Uint8Array[],
  words: readonly string[] = [],
): fc.Arbitrary<Uint8Array> {
  const pieces = words.map((word) => Buffer.from(word, 'latin1'));
  return fc
    .tuple(fc.constantFrom(...corpus), fc.array(changeWith(pieces), { minLength: 1, maxLength: 8 }))
    .map(([original, changes]) => changes.reduce(apply, original));
}

/** The files below a folder whose names match, up to a size; none where there is no such folder. */
export function filesBelow(folder: string, name: RegExp, maxBytes: number): Uint8Array[] {
  let entries: string[];
  try {
    entries = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  } catch {
    return [];
  }
  return entries
    .filter((entry) => name.test(entry))
    .sort()
    .map((entry) => readFileSync(join(folder, entry)))
    .filter((bytes) => bytes.length <= maxBytes);
}

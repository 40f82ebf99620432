import { describe, expect, it } from 'vitest';
import { createBytesReader } from './bytes-reader.ts';

/** Reads strings of these lengths, and says how much memory the text had after each. */
function growthOf(lengths: readonly number[], { before = 0, after = 0 } = {}): number[] {
  const strings = lengths.map((length) => `"${'x'.repeat(length)}"`);
  const body = Buffer.from(' '.repeat(before) + strings.join('') + ' '.repeat(after));
  const reader = createBytesReader(body, 1);
  let at = before;
  return strings.map(() => {
    at = reader.read(at, 'data');
    return (reader.take() as { bytes: Uint8Array }).bytes.buffer.byteLength;
  });
}

describe('createBytesReader', () => {
  it('takes memory for 64 bytes of text first, then twice as much each time', () => {
    expect(growthOf([3, 60, 1, 1, 62, 1, 1], { before: 500, after: 500 })).toEqual([
      64, 64, 64, 128, 128, 128, 256,
    ]);
  });

  it('takes as much as one long text needs', () => {
    expect(growthOf([10, 300], { after: 500 })).toEqual([64, 310]);
  });

  it('takes no more than what is left of the body can fill', () => {
    expect(growthOf([3])).toEqual([5]);
    expect(growthOf([60, 10, 2])).toEqual([64, 76, 76]);
  });

  it('keeps offsets of more strings than were announced', () => {
    const strings = Array.from({ length: 40 }, (_, i) => String(i));
    const body = Buffer.from(strings.map((each) => `"${each}"`).join(''));
    const reader = createBytesReader(body, 0);
    let at = 0;
    for (const _ of strings) at = reader.read(at, 'data');
    const { bytes, offsets } = reader.take() as { bytes: Uint8Array; offsets: Uint32Array };
    expect(offsets).toHaveLength(41);
    expect(strings.map((_, i) => Buffer.from(bytes.subarray(offsets[i], offsets[i + 1])).toString())).toEqual(
      strings,
    );
  });
});

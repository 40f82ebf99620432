import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeldContent } from './held-content.ts';

const pieces = fc.array(fc.uint8Array({ maxLength: 5000 }), { maxLength: 40 });

describe('held content', () => {
  it('is given out as it came, whatever is added in between', () => {
    fc.assert(
      fc.property(pieces, fc.array(fc.boolean()), (given, takes) => {
        const held = new HeldContent();
        const out: Buffer[] = [];
        for (const [index, piece] of given.entries()) {
          held.add(piece);
          if (takes[index] === true && !held.isEmpty) out.push(Buffer.from(held.take()));
        }
        while (!held.isEmpty) out.push(held.take());
        expect(Buffer.concat(out).equals(Buffer.concat(given))).toBe(true);
      }),
    );
  });

  it('takes up little more than its bytes, however small the pieces', () => {
    const held = new HeldContent();
    for (let count = 0; count < 100_000; count += 1) held.add(Buffer.of(count));
    let memory = 0;
    while (!held.isEmpty) memory += held.take().buffer.byteLength;
    expect(memory).toBeLessThan(200_000);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createByteSink } from './grpc-frame.ts';

describe('a sink for bytes', () => {
  it('gives what it was given, whatever was expected', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 3000 })), fc.nat(50_000), (given, expectedBytes) => {
        const sink = createByteSink(expectedBytes);
        for (const piece of given) sink.push(piece);
        expect(Buffer.compare(sink.take().bytes, Buffer.concat(given))).toBe(0);
      }),
    );
  });

  // A short message may decompress to a long one.
  it.each([0, 100, 600_000, 1e9])(
    'copies it a few times only, where %i bytes are expected',
    (expectedBytes) => {
      const sink = createByteSink(expectedBytes);
      const buffers = new Set<ArrayBufferLike>();
      for (let count = 0; count < 1000; count += 1) {
        sink.push(new Uint8Array(1000));
        buffers.add(sink.take().bytes.buffer);
      }
      expect(buffers.size).toBeLessThan(14);
    },
  );
});

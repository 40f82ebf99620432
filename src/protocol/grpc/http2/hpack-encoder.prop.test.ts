import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HpackDecoder } from './hpack-decoder.ts';
import { HpackEncoder, OK_HEAD, OK_TRAILERS, type OutgoingHeaders } from './hpack-encoder.ts';

const into = Buffer.alloc(256);
const ok = {
  head: { write: (encoder: HpackEncoder) => encoder.writeOkHead(into, 3), fields: OK_HEAD, most: 128 },
  trailers: {
    write: (encoder: HpackEncoder) => encoder.writeOkTrailers(into, 3),
    fields: OK_TRAILERS,
    most: 32,
  },
};

/** What is sent next, or what the client then says of its table. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('head' as const, 'trailers' as const) },
  {
    weight: 2,
    arbitrary: fc.dictionary(
      fc.constantFrom(':status', 'content-type', 'grpc-status', 'grpc-message', 'x-request-id'),
      fc.oneof(
        fc.constantFrom('200', '0', 'application/grpc'),
        fc.string({ unit: 'binary-ascii', maxLength: 300 }),
      ),
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom(0, 100, 4096, 65_536) },
);

function decode(decoder: HpackDecoder, block: Buffer): OutgoingHeaders {
  const fields: Record<string, string> = {};
  decoder.decode(block, (name, value) => {
    fields[name] = value;
  });
  return fields;
}

describe('header blocks', () => {
  it('mean what was sent, whatever came before them and whatever table the client keeps', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const encoder = new HpackEncoder();
        const decoder = new HpackDecoder();
        for (const next of steps) {
          if (typeof next === 'number') encoder.setTableSize(next);
          else if (typeof next === 'string') {
            const { write, fields, most } = ok[next];
            const end = write(encoder);
            expect(end - 3).toBeLessThanOrEqual(most);
            expect(decode(decoder, into.subarray(3, end))).toEqual(fields);
          } else expect(decode(decoder, encoder.encode(next))).toEqual({ ...next });
        }
      }),
    );
  });

  it('of answers that succeed are two bytes and one from the second time on', () => {
    const encoder = new HpackEncoder();
    expect(ok.head.write(encoder)).toBeGreaterThan(5);
    expect(ok.trailers.write(encoder)).toBeGreaterThan(4);
    for (let count = 0; count < 2; count += 1) {
      expect(ok.head.write(encoder)).toBe(5);
      expect(ok.trailers.write(encoder)).toBe(4);
    }
  });

  it('say once that no table is used, when the client has said that its own is small, and use none from then on', () => {
    const encoder = new HpackEncoder();
    ok.head.write(encoder);
    encoder.setTableSize(64);
    encoder.setTableSize(4096);
    ok.head.write(encoder);
    expect(into[3]).toBe(0x20);
    const end = ok.head.write(encoder);
    expect(into[3]).not.toBe(0x20);
    // A client that keeps nothing understands it.
    expect(decode(new HpackDecoder(), into.subarray(3, end))).toEqual(OK_HEAD);
  });
});

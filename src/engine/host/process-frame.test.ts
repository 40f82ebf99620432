import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFrameReader, encodeFrame, type Frame, HEAD_BYTES, MAX_JSON_BYTES } from './process-frame.ts';

function readAll(chunks: readonly Uint8Array[]): {
  readonly frames: readonly Frame[];
  readonly isWithin: boolean;
} {
  const frames: Frame[] = [];
  const reader = createFrameReader((frame) => frames.push(frame));
  for (const chunk of chunks) reader.push(chunk);
  return { frames, isWithin: reader.isWithinFrame };
}

const KINDS = ['hello', 'run', 'result', 'error', 'ping', 'pong', 'drain', 'bye'] as const;
const text = (value: string) => new TextEncoder().encode(value);

describe('frames', () => {
  it('come out as they went in, however the stream is cut', () => {
    const frame = fc.record({
      kind: fc.constantFrom(...KINDS),
      id: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      json: fc.uint8Array({ maxLength: 50 }),
      sections: fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 3 }),
    });
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 6 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 30 })),
        (sent, cuts) => {
          const stream = Buffer.concat(
            sent.flatMap(({ kind, id, json, sections }) => encodeFrame(kind, id, [json, ...sections])),
          );
          const pieces: Uint8Array[] = [];
          for (let at = 0; at < stream.length; ) {
            const size = cuts.next().value as number;
            pieces.push(stream.subarray(at, at + size));
            at += size;
          }
          const { frames, isWithin } = readAll(pieces);
          expect(isWithin).toBe(false);
          expect(frames).toHaveLength(sent.length);
          for (const [at, { kind, id, json, sections }] of sent.entries()) {
            const got = frames[at]!;
            expect([got.kind, got.id]).toEqual([kind, id]);
            const padded = Buffer.alloc(got.jsonLength, ' ');
            padded.set(json);
            expect(Buffer.from(got.body.subarray(0, got.jsonLength))).toEqual(padded);
            expect(Buffer.from(got.body.subarray(got.jsonLength))).toEqual(Buffer.concat(sections));
            if (sections.length > 0) expect(got.jsonLength % 8).toBe(0);
            expect(got.body.byteOffset % 8).toBe(0);
          }
        },
      ),
    );
  });

  it('are not copied where they are large', () => {
    const section = new Uint8Array(100_000);
    const chunks = encodeFrame('run', 1, [text('{}'), section]);
    expect(chunks).toHaveLength(2);
    expect(chunks[1]).toBe(section);
    expect(chunks[0]).toHaveLength(HEAD_BYTES + 8);
  });

  it('are refused where their JSON is too long', () => {
    expect(() => encodeFrame('run', 1, [new Uint8Array(MAX_JSON_BYTES + 1)])).toThrow(/at most/);
  });

  it.each([
    ['other text', text('Hello'), /4048|48656c6c6f/],
    ['an unknown kind', Uint8Array.of(0x4e, 0x49, 0x4d, 9), /kind of 1 to 8/],
    ['kind 0', Uint8Array.of(0x4e, 0x49, 0x4d, 0), /kind of 1 to 8/],
    ['JSON longer than the message', head(8, 9), /8 with 9/],
    ['a message over a gibibyte', head(2 ** 30 + 1, 0), /1073741825/],
    ['JSON over a mebibyte', head(2 ** 21, 2 ** 20 + 1), /1048577/],
  ])('are refused where they start with %s', (_what, bytes, reason) => {
    expect(() => readAll([bytes])).toThrow(reason);
    expect(() => readAll([...bytes].map((byte) => Uint8Array.of(byte)))).toThrow();
  });

  it('never make anything of random bytes but frames or an error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 200 }), (bytes) => {
        if (bytes[0] === 0x4e && bytes[1] === 0x49 && bytes[2] === 0x4d) return;
        expect(() => readAll([bytes])).toThrow(/broke the protocol/);
      }),
    );
  });
});

function head(length: number, jsonLength: number): Uint8Array {
  const bytes = Buffer.from('NIM\x02\0\0\0\0\0\0\0\0\0\0\0\0');
  bytes.writeUInt32LE(length, 4);
  bytes.writeUInt32LE(jsonLength, 8);
  return bytes;
}

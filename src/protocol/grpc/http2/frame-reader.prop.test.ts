import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FLAG, FRAME, FRAME_HEAD_BYTES } from './constants.ts';
import { FrameReader } from './frame-reader.ts';
import { writeFrameHead } from './outbox.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const MOST = 300;

interface Sent {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly content: Uint8Array;
  readonly padding: number;
}

const frame: fc.Arbitrary<Sent> = fc.record({
  type: fc.nat(10),
  flags: fc.nat(255),
  streamId: fc.nat(2 ** 31 - 1),
  content: fc.uint8Array({ maxLength: MOST - 60 }),
  padding: fc.nat(50),
});

const isPadded = ({ type, flags }: Sent) => type === FRAME.DATA && (flags & FLAG.PADDED) !== 0;

function toBytes(sent: Sent): Buffer {
  const { type, flags, streamId, content, padding } = sent;
  const payload = isPadded(sent)
    ? Buffer.concat([Buffer.of(padding), content, Buffer.alloc(padding)])
    : Buffer.from(content);
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  writeFrameHead(head, 0, payload.length, type, flags, streamId);
  return Buffer.concat([head, payload]);
}

/** What a reader makes of bytes that come in these pieces. */
function read(pieces: readonly Buffer[]): unknown[] {
  const seen: unknown[] = [];
  let data: Buffer[] = [];
  const reader = new FrameReader(
    {
      isOver: false,
      onHead: (type, flags, streamId) => void seen.push([type, flags, streamId]),
      onDataPiece: (piece) => void data.push(Buffer.from(piece)),
      onDataEnd(flags) {
        seen.push(['data', flags, Buffer.concat(data)]);
        data = [];
      },
      onFrame: (type, flags, streamId, payload) =>
        void seen.push(['frame', type, flags, streamId, Buffer.from(payload)]),
    },
    MOST,
  );
  for (const piece of pieces) reader.push(piece);
  return seen;
}

function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  let at = 0;
  for (const length of lengths) {
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return [...pieces, bytes.subarray(at)];
}

describe('FrameReader', () => {
  it('makes the same frames of bytes wherever they are cut', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.nat(40)), (frames, lengths) => {
        const bytes = Buffer.concat([PREFACE, ...frames.map(toBytes)]);
        const expected = frames.flatMap((sent) => {
          const { type, flags, streamId } = sent;
          const content = Buffer.from(sent.content);
          const head = [type, flags, streamId];
          return [
            head,
            type === FRAME.DATA ? ['data', flags, content] : ['frame', type, flags, streamId, content],
          ];
        });
        expect(read(cut(bytes, lengths))).toEqual(expected);
        expect(read(Array.from(bytes, (byte) => Buffer.of(byte)))).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['a frame that is too long', Buffer.of(0, 1, 45, 0, 0, 0, 0, 0, 1), 6],
    ['padding without a length', Buffer.of(0, 0, 0, 0, 8, 0, 0, 0, 1), 1],
    ['more padding than bytes', Buffer.of(0, 0, 2, 0, 8, 0, 0, 0, 1, 2, 0), 1],
  ])('refuses %s', (_what, bytes, code) => {
    expect(() => read([PREFACE, bytes])).toThrow(expect.objectContaining({ code }));
  });

  it.each(['GET / HTTP/1.1\r\n\r\n', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r ', '\x16\x03\x01'])(
    'refuses what does not begin as HTTP/2 does: %j',
    (text) => {
      expect(() => read([Buffer.from(text)])).toThrow('does not speak HTTP/2');
      expect(() => read(Array.from(Buffer.from(text), (byte) => Buffer.of(byte)))).toThrow();
    },
  );
});

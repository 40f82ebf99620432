import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createFrameReader,
  FRAME_HEADER_BYTES,
  type Frame,
  wholeFrame,
  writeFrameHeader,
} from './grpc-frame.ts';

const messages = fc.array(fc.tuple(fc.uint8Array({ maxLength: 300 }), fc.boolean()), { maxLength: 6 });

describe('createFrameReader', () => {
  it('takes the same messages out, wherever the pieces begin and end', () => {
    fc.assert(
      fc.property(messages, fc.array(fc.nat(100), { maxLength: 30 }), (sent, lengths) => {
        const bytes = Buffer.concat(sent.map(([message, isCompressed]) => framed(message, isCompressed)));
        const frames: Frame[] = [];
        const reader = createFrameReader({
          maxMessageBytes: 300,
          allocateRaw: undefined,
          onFrame: (frame) => frames.push(frame),
        });
        let at = 0;
        for (const length of [...lengths, bytes.length]) {
          reader.push(bytes.subarray(at, at + length));
          at = Math.min(bytes.length, at + length);
        }
        expect(reader.isWithin).toBe(false);
        expect(frames.map(({ message, isCompressed }) => [[...message.bytes], isCompressed])).toEqual(
          sent.map(([message, isCompressed]) => [[...message], isCompressed]),
        );
      }),
    );
  });

  it('knows of a message that is not complete', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), fc.nat(), (message, cut) => {
        const bytes = framed(message);
        const reader = createFrameReader({ maxMessageBytes: 50, allocateRaw: undefined, onFrame() {} });
        const length = cut % bytes.length;
        reader.push(bytes.subarray(0, length));
        expect(reader.isWithin).toBe(length > 0);
      }),
    );
  });
});

describe('wholeFrame', () => {
  it('is what the reader gives, or nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), fc.nat(60), (message, length) => {
        const bytes = framed(message);
        const piece = bytes.subarray(0, length);
        const frame = wholeFrame(piece, 50);
        if (length < bytes.length) expect(frame).toBeUndefined();
        else expect([...(frame?.message.bytes ?? [])]).toEqual([...message]);
      }),
    );
  });
});

function framed(message: Uint8Array, isCompressed = false): Buffer {
  const header = new Uint8Array(FRAME_HEADER_BYTES);
  writeFrameHeader(header, message.length, isCompressed);
  return Buffer.concat([header, message]);
}

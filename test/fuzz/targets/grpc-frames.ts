import { isDeepStrictEqual } from 'node:util';
import { deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { createFrameReader, type Frame, wholeFrame } from '../../../src/base/oip/grpc-frame.ts';
import { decompress } from '../../../src/protocol/grpc/coding.ts';
import { request as anyModelInfer } from '../../support/any-model-infer.ts';
import { mutated } from '../mutation.ts';
import { checkRefusal, type FuzzTarget, require, resultOrRefusal } from '../target.ts';
import { PROTOBUF_WORDS, readRequest, requireSame } from './grpc-infer.ts';

const MAX_MESSAGE_BYTES = 4096;

/** A frame around a message, which may be compressed, or only say so. */
const frame = fc
  .tuple(
    fc.oneof(
      anyModelInfer.filter(({ length }) => length <= MAX_MESSAGE_BYTES),
      fc.uint8Array({ maxLength: 40 }),
      fc.nat(2 * MAX_MESSAGE_BYTES).map((size) => new Uint8Array(size)),
    ),
    fc.constantFrom('plain', 'plain', 'gzip', 'deflate', 'flagged'),
  )
  .map(([message, coding]) => {
    const body =
      coding === 'gzip' ? gzipSync(message) : coding === 'deflate' ? deflateSync(message) : message;
    const header = Buffer.alloc(5);
    header[0] = Number(coding !== 'plain');
    header.writeUInt32BE(body.length, 1);
    return Buffer.concat([header, body]);
  });

interface ReadFrames {
  readonly frames: readonly Frame[];
  readonly isWithin: boolean;
  readonly isRefused: boolean;
}

function readFrames(stream: Uint8Array, cut: number, isInfer: boolean): ReadFrames {
  const frames: Frame[] = [];
  const reader = createFrameReader({
    maxMessageBytes: MAX_MESSAGE_BYTES,
    allocateRaw: isInfer ? (byteLength) => new Uint8Array(byteLength) : undefined,
    // Views over the stream's pieces hold no longer than the piece.
    onFrame: (whole) => frames.push(whole.isOwn ? whole : copied(whole)),
  });
  const isRefused =
    resultOrRefusal(['INVALID_INPUT', 'PAYLOAD_TOO_LARGE'], () => {
      for (let at = 0; at < stream.length; at += cut + 1) {
        const piece = Uint8Array.from(stream.subarray(at, at + cut + 1));
        reader.push(piece);
        piece.fill(0x77);
      }
      return true;
    }) === undefined;
  return { frames, isWithin: reader.isWithin, isRefused };
}

function copied(whole: Frame): Frame {
  return { ...whole, message: { ...whole.message, bytes: Uint8Array.from(whole.message.bytes) } };
}

/** The same by the words of PROTOCOL-HTTP2.md, of a stream that is there as a whole. */
function referenceFrames(stream: Uint8Array) {
  const bytes = Buffer.from(stream);
  const frames: { readonly isCompressed: boolean; readonly bytes: Uint8Array }[] = [];
  let at = 0;
  for (; at + 5 <= bytes.length; ) {
    const [flag = 0] = bytes.subarray(at);
    const length = bytes.readUInt32BE(at + 1);
    if (flag > 1 || length > MAX_MESSAGE_BYTES) return { frames, isWithin: false, isRefused: true };
    if (at + 5 + length > bytes.length) break;
    frames.push({ isCompressed: flag === 1, bytes: bytes.subarray(at + 5, at + 5 + length) });
    at += 5 + length;
  }
  return { frames, isWithin: at < bytes.length, isRefused: false };
}

async function checkCompressed({ isCompressed, message }: Frame): Promise<void> {
  if (!isCompressed) return;
  for (const coding of ['gzip', 'deflate', 'identity'] as const) {
    try {
      const options = { maxMessageBytes: MAX_MESSAGE_BYTES, allocateRaw: undefined };
      const { bytes } = await decompress(message.bytes, coding, options);
      require(bytes.length <= MAX_MESSAGE_BYTES, 'a message beyond its limit after decompression');
    } catch (thrown) {
      checkRefusal(['INVALID_INPUT', 'PAYLOAD_TOO_LARGE'], thrown);
    }
  }
}

/** Streams of length-prefixed messages, cut as the first byte says. */
export const grpcFramesTarget: FuzzTarget = {
  name: 'grpc-frames',
  inputs: fc
    .tuple(fc.array(frame, { minLength: 1, maxLength: 4 }), fc.oneof(fc.nat(255), fc.nat(12)))
    .chain(([frames, cut]) => mutated([Buffer.concat([Buffer.of(cut), ...frames])], PROTOBUF_WORDS)),
  async run(input) {
    const [cut = 0] = input;
    const stream = input.subarray(1);
    const expected = referenceFrames(stream);
    const got = readFrames(stream, cut, false);
    require(isDeepStrictEqual(
      { ...got, frames: got.frames.map(({ isCompressed, message: { bytes } }) => ({ isCompressed, bytes })) },
      { ...expected, frames: expected.frames.map((one) => ({ ...one, bytes: Uint8Array.from(one.bytes) })) },
    ), 'other frames than the stream holds');

    const infer = readFrames(stream, cut, true);
    for (const [index, { message, isCompressed }] of infer.frames.entries()) {
      if (isCompressed) continue;
      const { bytes } = expected.frames[index]!;
      requireSame(
        'another request by the way in which it came',
        readRequest(() => message),
        readRequest(() => ({ bytes })),
      );
    }
    for (const one of got.frames) await checkCompressed(one);

    const whole = resultOrRefusal(['INVALID_INPUT', 'PAYLOAD_TOO_LARGE'], () =>
      wholeFrame(stream, MAX_MESSAGE_BYTES),
    );
    if (whole !== undefined) {
      require(expected.frames.length === 1 && !expected.isWithin, 'a whole frame of several');
      require(isDeepStrictEqual(
        Buffer.from(whole.message.bytes),
        expected.frames[0]!.bytes,
      ), 'another whole');
    }
  },
};

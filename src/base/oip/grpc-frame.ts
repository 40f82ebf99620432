import { NimifyError } from '../errors/nimify-error.ts';
import { createInferMessageSink, type InferMessage, type InferMessageSink } from './infer-message.ts';

/** A message is preceded by a flag, 1 where it is compressed, and its length in four bytes (PROTOCOL-HTTP2.md). */
export const FRAME_HEADER_BYTES = 5;

/** Fills in the headroom that a writer left before the message. */
export function writeFrameHeader(headroom: Uint8Array, byteLength: number, isCompressed: boolean): void {
  headroom[0] = Number(isCompressed);
  headroom[1] = byteLength >>> 24;
  headroom[2] = byteLength >>> 16;
  headroom[3] = byteLength >>> 8;
  headroom[4] = byteLength;
}

/** What stood between two frame headers. */
export interface Frame {
  readonly isCompressed: boolean;
  readonly message: InferMessage;
  /** The message lies in buffers that nobody else uses; else it is a view over what the connection read. */
  readonly isOwn: boolean;
}

/**
 * The frame that a piece consists of, from its first to its last byte, as nearly all small ones do; undefined where
 * the piece is anything else.
 * @throws NimifyError INVALID_INPUT, PAYLOAD_TOO_LARGE
 */
export function wholeFrame(piece: Uint8Array, maxMessageBytes: number): Frame | undefined {
  const { length } = piece;
  if (length < FRAME_HEADER_BYTES) return undefined;
  const announced = piece[1]! * 2 ** 24 + piece[2]! * 2 ** 16 + piece[3]! * 2 ** 8 + piece[4]!;
  if (announced !== length - FRAME_HEADER_BYTES) return undefined;
  const flag = piece[0]!;
  if (flag > 1) throw notAMessage(flag);
  if (announced > maxMessageBytes) throw tooLarge(maxMessageBytes, `${announced} bytes`);
  // A plain Uint8Array keeps the decoder's loops fast.
  const bytes = new Uint8Array(piece.buffer, piece.byteOffset + FRAME_HEADER_BYTES, announced);
  return { isCompressed: flag === 1, message: { bytes }, isOwn: false };
}

/** Takes messages out of a stream of bytes, whose pieces begin and end anywhere. */
export interface FrameReader {
  /**
   * Hands every message that is complete with this piece to `onFrame`.
   * @throws NimifyError PAYLOAD_TOO_LARGE as soon as a header announces too much; INVALID_INPUT
   */
  push(piece: Uint8Array): void;
  /** A message has begun and is not complete. */
  readonly isWithin: boolean;
}

/** Memory of exactly that many bytes, 8-aligned. */
export type AllocateRaw = (byteLength: number) => Uint8Array;

export interface FrameReaderOptions {
  readonly maxMessageBytes: number;
  /** Messages have raw contents, which are taken out into such memory while they arrive. */
  readonly allocateRaw: AllocateRaw | undefined;
  /** Number of the field with the raw contents. Default: a ModelInferRequest's. */
  readonly rawField?: number;
  /** Called before memory is taken for a message that comes in pieces; what it throws, `push` throws. */
  readonly onBegin?: (byteLength: number) => void;
  readonly onFrame: (frame: Frame) => void;
}

export function createFrameReader({
  maxMessageBytes,
  allocateRaw,
  rawField,
  onBegin,
  onFrame,
}: FrameReaderOptions): FrameReader {
  const header = new Uint8Array(FRAME_HEADER_BYTES);
  let headerLength = 0;
  let isCompressed = false;
  let sink: InferMessageSink | undefined;
  let left = 0;

  /** Reads the header as far as it is there; returns where the message starts, or -1. */
  function readHeader(piece: Uint8Array, at: number): number {
    const missing = FRAME_HEADER_BYTES - headerLength;
    header.set(piece.subarray(at, at + missing), headerLength);
    headerLength = Math.min(FRAME_HEADER_BYTES, headerLength + piece.length - at);
    if (headerLength < FRAME_HEADER_BYTES) return -1;
    headerLength = 0;
    const [flag = 0, a = 0, b = 0, c = 0, d = 0] = header;
    if (flag > 1) throw notAMessage(flag);
    isCompressed = flag === 1;
    left = a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d;
    if (left > maxMessageBytes) throw tooLarge(maxMessageBytes, `${left} bytes`);
    return at + missing;
  }

  return {
    push(piece) {
      // A plain Uint8Array keeps the decoder's loops fast.
      const bytes = new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
      let at = 0;
      while (at < bytes.length) {
        if (sink === undefined) {
          at = readHeader(bytes, at);
          if (at < 0) return;
          if (bytes.length - at >= left) {
            const message = { bytes: bytes.subarray(at, at + left) };
            at += left;
            onFrame({ isCompressed, message, isOwn: false });
            continue;
          }
          onBegin?.(left);
          sink =
            allocateRaw === undefined || isCompressed
              ? createByteSink(left)
              : createInferMessageSink(left, allocateRaw, rawField);
        }
        const part = bytes.subarray(at, at + left);
        sink.push(part);
        at += part.length;
        left -= part.length;
        if (left > 0) return;
        const { take } = sink;
        sink = undefined;
        onFrame({ isCompressed, message: take(), isOwn: true });
      }
    },
    get isWithin() {
      return sink !== undefined || headerLength > 0;
    },
  };
}

const SMALLEST_BYTES = 1024;

/**
 * Gathers bytes in a buffer of its own. What is announced is made room for only as it comes: memory that is asked
 * for and not written to costs nothing, but what comes in a thousand pieces must not be copied a thousand times.
 * @param expectedBytes as many as are likely to come; there may be more
 */
export function createByteSink(expectedBytes: number): InferMessageSink {
  let buffer = new Uint8Array(0);
  let length = 0;
  return {
    push(piece) {
      const needed = length + piece.length;
      if (needed > buffer.length) {
        const most = needed > expectedBytes ? needed * 2 : expectedBytes;
        const capacity = Math.max(needed, Math.min(most, buffer.length * 2), SMALLEST_BYTES);
        const larger = new Uint8Array(capacity);
        larger.set(buffer.subarray(0, length));
        buffer = larger;
      }
      buffer.set(piece, length);
      length += piece.length;
    },
    take: () => ({ bytes: buffer.subarray(0, length) }),
  };
}

export function tooLarge(maxBytes: number, got: string): NimifyError {
  return new NimifyError(
    'PAYLOAD_TOO_LARGE',
    `message: expected at most ${maxBytes} bytes, got ${got}; send fewer rows in a request`,
    { details: { where: 'message', expected: { maxBytes }, got } },
  );
}

/** @throws NimifyError PAYLOAD_TOO_LARGE where the message is larger than any that is to be sent */
export function checkSendSize(byteLength: number, maxSendMessageBytes: number | undefined): void {
  if (maxSendMessageBytes === undefined || byteLength <= maxSendMessageBytes) return;
  throw new NimifyError(
    'PAYLOAD_TOO_LARGE',
    `answer: expected at most ${maxSendMessageBytes} bytes, got ${byteLength}; ask for fewer rows or outputs in a request`,
    { details: { where: 'answer', expected: { maxBytes: maxSendMessageBytes }, got: byteLength } },
  );
}

function notAMessage(flag: number): NimifyError {
  return new NimifyError(
    'INVALID_INPUT',
    `message: expected a compressed flag of 0 or 1 before it, got ${flag}; the stream is no gRPC`,
    { details: { where: 'message', expected: '0 or 1', got: flag } },
  );
}

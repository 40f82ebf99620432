import type { Transform } from 'node:stream';
import { createDeflate, createGunzip, createGzip, createInflate } from 'node:zlib';
import { invalidInput, NimifyError } from '../../base/errors/nimify-error.ts';
import type { EncodedInferMessage } from '../../base/oip/encode-protobuf.ts';
import {
  createByteSink,
  FRAME_HEADER_BYTES,
  type FrameReaderOptions,
  tooLarge,
} from '../../base/oip/grpc-frame.ts';
import { createInferMessageSink, type InferMessage } from '../../base/oip/infer-message.ts';

/** Message codings that both sides may use (grpc, doc/compression.md). */
export const CODINGS = ['identity', 'gzip', 'deflate'] as const;
export type Coding = (typeof CODINGS)[number];

export const ACCEPTED_CODINGS = CODINGS.join(',');

/**
 * The coding of `grpc-encoding`, which the client's compressed messages have.
 * @throws NimifyError UNSUPPORTED
 */
export function codingOf(header: string | string[] | undefined): Coding {
  if (header === undefined) return 'identity';
  const coding = CODINGS.find((known) => known === header);
  if (coding !== undefined) return coding;
  throw new NimifyError(
    'UNSUPPORTED',
    `grpc-encoding: expected ${CODINGS.join(', ')}, got '${header}'; send the messages in one of these, or plain`,
    { details: { where: 'grpc-encoding', expected: CODINGS, got: header } },
  );
}

/**
 * The coding of the answers: the client's own, where it reads that as well. Every client says that it reads gzip,
 * whether that pays or not; one that uses it wants it.
 */
export function answerCodingOf(coding: Coding, accepted: string | string[] | undefined): Coding {
  if (coding === 'identity' || accepted === undefined) return 'identity';
  const named = String(accepted).split(',');
  return named.some((one) => one.trim() === coding) ? coding : 'identity';
}

export interface DecompressOptions extends Pick<FrameReaderOptions, 'maxMessageBytes' | 'allocateRaw'> {
  /** Called before so many bytes more are kept; what it throws ends it. */
  readonly onGrow?: (bytes: number) => void;
}

/**
 * Decompresses one message.
 * @throws NimifyError INVALID_INPUT where it is damaged; PAYLOAD_TOO_LARGE where it grows beyond the limit
 */
export function decompress(
  bytes: Uint8Array,
  coding: Coding,
  { maxMessageBytes, allocateRaw, onGrow }: DecompressOptions,
): Promise<InferMessage> {
  if (coding === 'identity') throw compressedAsNothing();
  const decoder = coding === 'gzip' ? createGunzip() : createInflate();
  const sink =
    allocateRaw === undefined
      ? createByteSink(bytes.length * 4)
      : createInferMessageSink(maxMessageBytes, allocateRaw);
  let length = 0;
  return new Promise((resolve, reject) => {
    decoder.on('error', (cause) => reject(cause instanceof NimifyError ? cause : damaged(coding, cause)));
    decoder.on('data', (piece: Uint8Array) => {
      length += piece.length;
      if (length > maxMessageBytes) decoder.destroy(tooLarge(maxMessageBytes, 'more after decompression'));
      else {
        try {
          onGrow?.(piece.length);
          sink.push(piece);
        } catch (refused) {
          decoder.destroy(refused as Error);
        }
      }
    });
    decoder.on('end', () => {
      try {
        resolve(sink.take());
      } catch (refused) {
        reject(refused);
      }
    });
    decoder.end(bytes);
  });
}

/** Shorter messages are sent as they are: compressing them costs more than it saves. */
export const COMPRESS_FROM_BYTES = 1024;

/** The message compressed, with headroom for its frame's header again. */
export async function compress(
  { chunks, byteLength }: EncodedInferMessage,
  coding: Exclude<Coding, 'identity'>,
): Promise<EncodedInferMessage> {
  // Level 1: tensors gain little from more, and the client waits.
  const options = { level: 1, chunkSize: Math.min(256 * 1024, Math.max(16 * 1024, byteLength)) };
  const encoder: Transform = coding === 'gzip' ? createGzip(options) : createDeflate(options);
  const pieces: Uint8Array[] = [new Uint8Array(FRAME_HEADER_BYTES)];
  let length = 0;
  await new Promise<void>((resolve, reject) => {
    encoder.on('error', reject);
    encoder.on('end', resolve);
    encoder.on('data', (piece: Uint8Array) => {
      pieces.push(piece);
      length += piece.length;
    });
    for (const [index, chunk] of chunks.entries()) {
      encoder.write(index === 0 ? chunk.subarray(FRAME_HEADER_BYTES) : chunk);
    }
    encoder.end();
  });
  return { chunks: pieces, byteLength: length };
}

function compressedAsNothing(): NimifyError {
  return invalidInput(
    'message: expected grpc-encoding to say how it is compressed, as its flag says that it is; got none',
    { where: 'grpc-encoding', expected: CODINGS, got: 'identity' },
  );
}

function damaged(coding: Coding, cause: Error): NimifyError {
  return new NimifyError(
    'INVALID_INPUT',
    `message: expected ${coding} as grpc-encoding says, got bytes that do not decompress; send them again, or plain`,
    { details: { where: 'message' }, cause },
  );
}

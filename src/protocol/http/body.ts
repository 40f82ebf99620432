import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createGunzip, createInflate } from 'node:zlib';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { Clock } from '../../base/util/clock.ts';
import { type MemoryClaim, SMALLEST_CLAIM_BYTES } from '../memory-claims.ts';
import type { MemoryRoom } from '../memory-room.ts';
import { createByteSink } from './byte-sink.ts';
import { allowBody } from './expect-continue.ts';

export interface ReadBodyOptions {
  /** Largest body taken, as sent and after decompression, in bytes. */
  readonly maxBodyBytes: number;
  /** Longest time for the body to arrive, in milliseconds. */
  readonly receiveTimeoutMs: number;
  readonly clock: Clock;
  readonly memoryRoom: MemoryRoom;
  /** Offset in the (decompressed) body that is to lie on a multiple of 8 in memory. Default 0. */
  readonly alignAt?: number;
}

/** A body that belongs to the caller alone, who releases the claim when it is no longer needed. */
export interface ClaimedBody {
  readonly bytes: Uint8Array;
  /** Undefined: it was too short to be counted. */
  readonly claim: MemoryClaim | undefined;
}

/**
 * Reads a request's body into one buffer that belongs to the caller alone, decompressed where it came with
 * `content-encoding: gzip` or `deflate` (RFC 9110, 8.4.1). A body that announces more than the limit is refused
 * before any of it is read, so the caller answers with `sendReply`, which discards what still arrives.
 *
 * @throws NimifyError UNSUPPORTED_MEDIA_TYPE (content encoding), PAYLOAD_TOO_LARGE, REQUEST_TIMEOUT (the client
 *   stalled), OVERLOADED (no memory for it now), CANCELLED (the client left), INVALID_INPUT (compressed data that is damaged)
 */
export async function readBody(request: IncomingMessage, options: ReadBodyOptions): Promise<ClaimedBody> {
  const coding = contentCodingOf(request);
  const announcedBytes = announcedBytesOf(request);
  if (announcedBytes !== undefined && announcedBytes > options.maxBodyBytes) {
    throw tooLarge(options.maxBodyBytes, `${announcedBytes} bytes`);
  }
  if (announcedBytes === 0) return { bytes: new Uint8Array(0), claim: undefined };
  options.memoryRoom.checkShort();
  if (isCounted(announcedBytes)) options.memoryRoom.check(announcedBytes);
  const turn = allowBody(request);
  if (turn !== undefined && !(await turn)) throw left();
  return coding === 'identity'
    ? receive(request, request, announcedBytes ?? 0, options)
    : decompress(request, coding, announcedBytes ?? 0, options);
}

function isCounted(bytes: number | undefined): bytes is number {
  return bytes !== undefined && bytes >= SMALLEST_CLAIM_BYTES;
}

type ContentCoding = 'identity' | 'gzip' | 'deflate';

function contentCodingOf(request: IncomingMessage): ContentCoding {
  const header = request.headers['content-encoding'];
  if (header === undefined) return 'identity';
  const coding = header.trim().toLowerCase();
  if (coding === 'gzip' || coding === 'deflate') return coding;
  if (coding === 'x-gzip') return 'gzip';
  if (coding === 'identity' || coding === '') return 'identity';
  throw new NimifyError(
    'UNSUPPORTED_MEDIA_TYPE',
    `content-encoding: expected gzip, deflate or identity, got '${coding}'; send the body in one of these`,
    { details: { where: 'content-encoding', expected: ['gzip', 'deflate', 'identity'], got: coding } },
  );
}

/** The parser has already refused a content-length that is no number; undefined: sent in chunks. */
function announcedBytesOf(request: IncomingMessage): number | undefined {
  const header = request.headers['content-length'];
  if (header !== undefined) return Number(header);
  return request.headers['transfer-encoding'] === undefined ? 0 : undefined;
}

function decompress(
  request: IncomingMessage,
  coding: 'gzip' | 'deflate',
  announcedBytes: number,
  options: ReadBodyOptions,
): Promise<ClaimedBody> {
  // Each output chunk is a trip through the thread pool, so large bodies get large chunks.
  const chunkSize = Math.min(256 * 1024, Math.max(16 * 1024, announcedBytes * 2));
  const decoder = coding === 'gzip' ? createGunzip({ chunkSize }) : createInflate({ chunkSize });
  // Not stream.pipeline: on damaged data that would end the connection before the client has its answer.
  request.pipe(decoder);
  return receive(request, decoder, chunkSize, options).catch((error: unknown) => {
    request.unpipe(decoder);
    decoder.destroy();
    throw error;
  });
}

function receive(
  request: IncomingMessage,
  source: Readable,
  expectedBytes: number,
  options: ReadBodyOptions,
): Promise<ClaimedBody> {
  return new Promise((resolve, reject) => {
    const sink = createByteSink(
      options.alignAt === undefined ? { expectedBytes } : { expectedBytes, alignAt: options.alignAt },
    );
    let arrivedBytes = 0;
    let claim: MemoryClaim | undefined;
    let claimedBytes = 0;

    const timer = options.clock.setTimer(
      () => fail(stalled(options.receiveTimeoutMs)),
      options.receiveTimeoutMs,
    );

    function onArrived(chunk: Uint8Array): void {
      arrivedBytes += chunk.length;
      if (arrivedBytes > options.maxBodyBytes) fail(tooLarge(options.maxBodyBytes, 'more than that'));
    }
    function onData(chunk: Uint8Array): void {
      if (sink.byteLength + chunk.length > options.maxBodyBytes) {
        fail(tooLarge(options.maxBodyBytes, 'more than that'));
        return;
      }
      // Thrown from here an error would end the process.
      try {
        makeRoom(sink.byteLength + chunk.length);
        sink.push(chunk);
        claim?.arrived(chunk.length);
      } catch (thrown) {
        fail(thrown instanceof NimifyError ? thrown : noRoom(expectedBytes, thrown));
      }
    }
    /** Of what was announced all at once, of what was not as it comes. */
    function makeRoom(bytes: number): void {
      if (bytes <= claimedBytes) return;
      if (claim !== undefined) claim.grow(bytes - claimedBytes);
      else {
        const firstBytes = Math.max(bytes, source === request ? expectedBytes : 0);
        if (!isCounted(firstBytes)) return;
        claim = options.memoryRoom.claim(firstBytes, { onRevoke: fail });
        claimedBytes = firstBytes;
        return;
      }
      claimedBytes = bytes;
    }
    function onEnd(): void {
      stop();
      claim?.complete();
      resolve({ bytes: sink.take(), claim });
    }
    function onSourceError(error: Error): void {
      fail(source === request ? left() : damaged(error));
    }
    function onClose(): void {
      if (!request.complete) fail(left());
    }
    function fail(error: NimifyError): void {
      stop();
      claim?.release();
      reject(error);
    }
    function stop(): void {
      timer.cancel();
      source.off('data', onData);
      source.off('end', onEnd);
      request.off('data', onArrived);
      request.off('close', onClose);
    }

    if (source !== request) request.on('data', onArrived);
    // Stays for good: an error without a listener would end the process.
    source.on('error', onSourceError);
    source.on('data', onData);
    source.on('end', onEnd);
    request.on('close', onClose);
  });
}

function tooLarge(maxBodyBytes: number, got: string): NimifyError {
  return new NimifyError(
    'PAYLOAD_TOO_LARGE',
    `body: expected at most ${maxBodyBytes} bytes, got ${got}; send fewer rows in a request or use binary tensors`,
    { details: { where: 'body', expected: { maxBytes: maxBodyBytes }, got } },
  );
}

/** There is no memory for a body. */
export function noRoom(bytes: number, cause?: unknown): NimifyError {
  return new NimifyError(
    'OVERLOADED',
    `body: there is no memory for its ${bytes} bytes now; send it again later, or fewer rows in a request`,
    { details: { where: 'body' }, retryAfterMs: 1000, cause },
  );
}

/** A body did not come in time. */
export function stalled(receiveTimeoutMs: number): NimifyError {
  return new NimifyError(
    'REQUEST_TIMEOUT',
    `body: expected all of it within ${receiveTimeoutMs} ms, got only a part; send it faster or in smaller requests`,
    { details: { where: 'body', expected: { withinMs: receiveTimeoutMs } } },
  );
}

function left(): NimifyError {
  return new NimifyError('CANCELLED', 'the client left before its request was complete');
}

function damaged(cause: Error): NimifyError {
  return new NimifyError(
    'INVALID_INPUT',
    'body: expected data as its content-encoding says, got bytes that do not decompress; send them again, or plain',
    { details: { where: 'body' }, cause },
  );
}

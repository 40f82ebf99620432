import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { createDeflate, createGzip } from 'node:zlib';
import type { Clock } from '../../base/util/clock.ts';
import { type ReplyCoding, replyCodingFor } from './accept-encoding.ts';
import type { RequestHead } from './request-context.ts';

/** A whole answer, ready to be written. */
export interface Reply {
  readonly status: number;
  /** Lower-case names; `content-length` is added by `sendReply`. */
  readonly headers: Readonly<Record<string, string | number>>;
  readonly chunks: readonly Uint8Array[];
  readonly byteLength: number;
  /** Called once the chunks are no longer needed: written out, or nobody is there to read them. */
  readonly release?: () => void;
}

/** Answers shorter than this are sent as they are: compressing them costs more than it saves. */
const COMPRESS_FROM_BYTES = 1024;

export function jsonReply(status: number, value: unknown, headers: Reply['headers'] = {}): Reply {
  const chunk = Buffer.from(JSON.stringify(value));
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    chunks: [chunk],
    byteLength: chunk.length,
  };
}

/** The answer in the coding that the client likes best, made off the main thread; the answer itself if none. */
export function compressReply(request: RequestHead, reply: Reply): Reply | Promise<Reply> {
  if (reply.byteLength < COMPRESS_FROM_BYTES) return reply;
  const coding = replyCodingFor(request.headers['accept-encoding']);
  return coding === 'identity' ? reply : compressed(reply, coding);
}

async function compressed(reply: Reply, coding: Exclude<ReplyCoding, 'identity'>): Promise<Reply> {
  // Level 1: tensors gain little from more, and the client waits.
  const options = { level: 1, chunkSize: Math.min(256 * 1024, Math.max(16 * 1024, reply.byteLength)) };
  const encoder = coding === 'gzip' ? createGzip(options) : createDeflate(options);
  const chunks: Uint8Array[] = [];
  let byteLength = 0;
  try {
    await new Promise<void>((resolve, reject) => {
      encoder.on('error', reject);
      encoder.on('end', resolve);
      encoder.on('data', (chunk: Uint8Array) => {
        chunks.push(chunk);
        byteLength += chunk.length;
      });
      for (const chunk of reply.chunks) encoder.write(chunk);
      encoder.end();
    });
  } finally {
    reply.release?.();
  }
  const headers = { ...reply.headers, 'content-encoding': coding, vary: 'accept-encoding' };
  return { status: reply.status, headers, chunks, byteLength };
}

export interface SendOptions {
  readonly clock: Clock;
  /** Bounds how long the rest of an unread request is discarded. */
  readonly receiveTimeoutMs: number;
}

const LONGEST_IDLE_MS = 5000;

/**
 * Writes the answer. Where the request's body has not come in full, the connection ends after the answer: what
 * the client still sends is discarded for a while first, because closing on unread bytes makes the kernel reset
 * the connection, and the client loses the answer.
 */
export function sendReply(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  options: SendOptions,
): void {
  // A body that came along with its head is read a turn later.
  if (request.complete) writeReply(request, response, reply, options);
  else setImmediate(() => writeReply(request, response, reply, options));
}

function writeReply(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  options: SendOptions,
): void {
  if (request.socket.destroyed || response.headersSent) {
    // An answer that broke off half-way cannot be mended: only an early end tells the client.
    request.socket.destroy();
    reply.release?.();
    return;
  }
  if (reply.release !== undefined) releaseWhenSettled(request, response, reply.release);
  if (!request.complete) response.shouldKeepAlive = false;

  response.writeHead(reply.status, { ...reply.headers, 'content-length': reply.byteLength });
  const chunks = request.method === 'HEAD' ? [] : reply.chunks;
  if (request.complete || reply.status === 408) {
    if (reply.byteLength > PIECE_BYTES) writeInPieces(response, chunks, (last) => response.end(last));
    else {
      const last = chunks.length - 1;
      for (let i = 0; i < last; i += 1) response.write(chunks[i]);
      response.end(chunks[last]);
    }
  } else {
    response.flushHeaders();
    for (const chunk of chunks) response.write(chunk);
    discardRest(request, options, () => response.end());
  }
}

/** What a client must take within the send timeout: a write counts as taken when all of it is. */
export const PIECE_BYTES = 1024 * 1024;

/** Where an answer is written to. */
interface PieceSink {
  write(piece: Uint8Array, onTaken?: (error: Error | null | undefined) => void): boolean;
}

/**
 * Hands over one piece after the other, each when the system has taken the last.
 *
 * @param finish called with the last piece, which it writes; not where the sink breaks before that
 */
export function writeInPieces(
  sink: PieceSink,
  chunks: readonly Uint8Array[],
  finish: (last: Uint8Array) => void,
): void {
  const pieces = piecesOf(chunks);
  let next = 0;
  function writeNext(): void {
    for (let handedBytes = 0; ; ) {
      const piece = pieces[next]!;
      next += 1;
      handedBytes += piece.length;
      if (next === pieces.length) {
        finish(piece);
        return;
      }
      if (handedBytes >= PIECE_BYTES) {
        sink.write(piece, onTaken);
        return;
      }
      sink.write(piece);
    }
  }
  function onTaken(error: Error | null | undefined): void {
    if (error == null) writeNext();
  }
  writeNext();
}

function piecesOf(chunks: readonly Uint8Array[]): readonly Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) pieces.push(chunk.subarray(at, at + PIECE_BYTES));
  }
  return pieces;
}

function releaseWhenSettled(request: IncomingMessage, response: ServerResponse, release: () => void): void {
  const { socket } = request;
  function settle(): void {
    response.off('finish', settle);
    // A queued answer of a pipelined request hears nothing when the connection ends; its socket does.
    socket.off('close', settle);
    release();
  }
  response.on('finish', settle);
  socket.on('close', settle);
}

/** Reads on and forgets, until nothing more comes or `done` has waited long enough. */
export function discardRest(
  request: Pick<Readable, 'on' | 'off' | 'resume'>,
  options: SendOptions,
  done: () => void,
): void {
  const idleMs = Math.min(LONGEST_IDLE_MS, options.receiveTimeoutMs);
  const total = options.clock.setTimer(finish, options.receiveTimeoutMs);
  let idle = options.clock.setTimer(onIdle, idleMs);
  let sawBytes = false;

  function onData(): void {
    sawBytes = true;
  }
  function onIdle(): void {
    if (sawBytes) idle = options.clock.setTimer(onIdle, idleMs);
    else finish();
    sawBytes = false;
  }
  function finish(): void {
    total.cancel();
    idle.cancel();
    request.off('data', onData);
    request.off('end', finish);
    request.off('close', finish);
    done();
  }
  request.on('data', onData);
  request.on('end', finish);
  request.on('close', finish);
  request.resume();
}

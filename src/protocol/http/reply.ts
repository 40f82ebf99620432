import type { IncomingMessage, ServerResponse } from 'node:http';
import type { InferResponse } from '../../model/request.ts';
import { FALLBACK_HEADER, fallbackText } from '../fallback-name.ts';
import type { MemoryClaim } from '../memory-claims.ts';
import type { MemoryRoom } from '../memory-room.ts';
import { type DiscardOptions, discardRest } from './discard-rest.ts';
import { PIECE_BYTES, writeInPieces } from './write-in-pieces.ts';

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

export function jsonReply(status: number, value: unknown, headers: Reply['headers'] = {}): Reply {
  const chunk = Buffer.from(JSON.stringify(value));
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    chunks: [chunk],
    byteLength: chunk.length,
  };
}

/**
 * The answer of a model, counted as held in memory until it is let go.
 * @throws NimifyError as `MemoryRoom.holdAnswer`
 */
export function countAnswer(reply: Reply, memoryRoom: MemoryRoom, model: string): Reply {
  const claim = memoryRoom.holdAnswer(reply.byteLength, model);
  return claim === undefined ? reply : withClaim(reply, claim);
}

/** The answer with the header that says who gave it, where it was not the model. */
export function withFallback(reply: Reply, { report: { fallback } }: InferResponse): Reply {
  if (fallback === undefined) return reply;
  return { ...reply, headers: { ...reply.headers, [FALLBACK_HEADER]: fallbackText(fallback) } };
}

/** The answer, with a claim that is released when it is let go. */
export function withClaim(reply: Reply, claim: MemoryClaim): Reply {
  function release(): void {
    claim.release();
    reply.release?.();
  }
  return { ...reply, release };
}

/**
 * Writes the answer. Where the request's body has not come in full, the connection ends after the answer: what
 * the client still sends is discarded for a while first, because closing on unread bytes makes the kernel reset
 * the connection, and the client loses the answer.
 */
export function sendReply(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  options: DiscardOptions,
): void {
  // A body that came along with its head is read a turn later.
  if (request.complete) writeReply(request, response, reply, options);
  else setImmediate(() => writeReply(request, response, reply, options));
}

function writeReply(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  options: DiscardOptions,
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

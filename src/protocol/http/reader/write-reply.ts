import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../../../base/util/clock.ts';
import type { Reply } from '../reply.ts';
import { PIECE_BYTES, writeInPieces } from '../write-in-pieces.ts';

/** Up to this size an answer leaves as one string: cheaper than a buffer, and nothing waits to be released. */
const LARGEST_STRING_BYTES = 16 * 1024;

export interface WriteOptions {
  readonly requestId: string;
  /** The connection ends after this answer. */
  readonly isLast: boolean;
  /** The line of `createDateLine`. */
  readonly dateLine: string;
  /** Promised to the client, in whole seconds. */
  readonly keepAliveMs: number;
}

/**
 * Writes an answer as node:http does, field for field.
 *
 * @param onSettled called when the answer's buffers are no longer needed; where the socket closes before that, not
 *   always
 * @param onHanded called when all of it has been handed to the socket, where that is not so on return
 * @returns all of it has been handed to the socket
 */
export function writeReply(
  socket: Socket,
  reply: Reply,
  options: WriteOptions,
  onSettled: () => void,
  onHanded: () => void,
): boolean {
  const head = headOf(reply, options);
  const { chunks, byteLength } = reply;
  if (byteLength <= LARGEST_STRING_BYTES) {
    let text = head;
    for (const chunk of chunks) text += latin1Of(chunk);
    socket.write(text, 'latin1');
    onSettled();
    return true;
  }
  if (byteLength > PIECE_BYTES) {
    socket.write(head, 'latin1');
    writeInPieces(socket, chunks, (last) => {
      socket.write(last, onSettled);
      onHanded();
    });
    return false;
  }
  socket.cork();
  socket.write(head, 'latin1');
  const last = chunks.length - 1;
  for (let i = 0; i < last; i += 1) socket.write(chunks[i]!);
  socket.write(chunks[last]!, onSettled);
  socket.uncork();
  return true;
}

function headOf({ status, headers, byteLength }: Reply, options: WriteOptions): string {
  const { requestId, isLast, dateLine, keepAliveMs } = options;
  let text =
    status === 200 ? 'HTTP/1.1 200 OK\r\n' : `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'unknown'}\r\n`;
  for (const name in headers) if (name !== 'x-request-id') text += `${name}: ${headers[name]}\r\n`;
  text += `x-request-id: ${requestId}\r\ncontent-length: ${byteLength}\r\n${dateLine}`;
  if (isLast) return `${text}Connection: close\r\n\r\n`;
  return `${text}Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(keepAliveMs / 1000)}\r\n\r\n`;
}

function latin1Of({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('latin1');
}

/** The `Date` line of an answer (RFC 9110, 6.6.1), made once a second. */
export function createDateLine(clock: Clock): () => string {
  let second = -1;
  let line = '';
  return () => {
    const now = Math.floor(clock.wallMs() / 1000);
    if (now !== second) {
      second = now;
      line = `Date: ${new Date(now * 1000).toUTCString()}\r\n`;
    }
    return line;
  };
}

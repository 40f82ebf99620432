import { randomUUID } from 'node:crypto';
import { maxHeaderSize, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ErrorCode } from '../../base/errors/table.ts';

/** What broke: the code of llhttp, of node:http or of the system. */
type BrokenInput = Pick<NodeJS.ErrnoException, 'code'>;

/**
 * Answers bytes that are no HTTP, oversized heads and heads that do not arrive, then closes the connection.
 *
 * @param last the answer to the newest request on this connection; undefined: there was none
 */
export function answerClientError(
  error: BrokenInput,
  socket: Socket,
  last: ServerResponse | undefined,
): void {
  if (socket.destroyed || !socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const answer = () => {
    if (socket.writable) socket.end(rawAnswer(error));
    socket.destroySoon();
  };
  if (last === undefined || last.writableFinished) answer();
  // Its own body is broken, and nothing has been said yet: this is its answer.
  else if (!last.req.complete && last.socket === socket && !last.headersSent) answer();
  // The answers to earlier requests go first.
  else if (last.req.complete) last.once('close', answer);
  else socket.destroy();
}

interface Refusal {
  readonly status: number;
  readonly reason: string;
  readonly code: ErrorCode;
  readonly message: string;
}

function refusalFor(error: BrokenInput): Refusal {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return {
        status: 431,
        reason: 'Request Header Fields Too Large',
        code: 'INVALID_INPUT',
        message: `head: expected at most ${maxHeaderSize} bytes of headers, got more; send fewer or shorter ones`,
      };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return {
        status: 408,
        reason: 'Request Timeout',
        code: 'REQUEST_TIMEOUT',
        message: 'the request did not arrive in time; send all of it at once',
      };
    default:
      return {
        status: 400,
        reason: 'Bad Request',
        code: 'INVALID_INPUT',
        message: 'the bytes on this connection are no valid HTTP/1.1 request',
      };
  }
}

function rawAnswer(error: BrokenInput): string {
  const { status, reason, code, message } = refusalFor(error);
  const body = JSON.stringify({ error: message, code, request_id: randomUUID() });
  return (
    `HTTP/1.1 ${status} ${reason}\r\ncontent-type: application/json\r\n` +
    `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`
  );
}

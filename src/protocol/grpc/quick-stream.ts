import type { ServerHttp2Stream } from 'node:http2';
import { Socket } from 'node:net';
import { OK_TRAILERS } from './status.ts';

/**
 * Shorter ways through Node's HTTP/2, of which it tells nobody. Each is taken only where what it stands on is there; where a
 * version of Node has it no more, everything goes the ordinary way.
 */

/** What is reached for here that ServerHttp2Stream does not declare: nghttp2's stream behind it. */
interface Handle {
  /** From then on what is read is put there. */
  useUserBuffer(into: Uint8Array): void;
  trailers(list: unknown): number;
}

/** What Node asks of a stream whose handle has such a buffer (lib/internal/stream_base_commons.js). */
interface BufferKeys {
  readonly buffer: symbol;
  readonly onRead: symbol;
  readonly nextBuffer: symbol;
}

type WithSymbols = Record<symbol, unknown>;

/** Every stream reads to here: what outlives its read is copied out of it. */
const READ_INTO = new Uint8Array(64 * 1024);

const BUFFER_KEYS = findBufferKeys();

/** The property of a stream that holds its handle; found on the first one. */
let handleKey: symbol | undefined;

/** What Node has made of OK_TRAILERS for its handle. */
let okList: unknown;

/**
 * Has a stream read without a buffer, a view and two turns through its queue for each piece: Node makes a buffer of
 * 64 KiB for each read of the socket, which lives until the next collection if anybody is given a part of it. A large message
 * costs half as much without them. 'end' is emitted as ever, 'data' is not.
 *
 * @param onPiece the piece is valid until it returns
 * @returns false where it cannot be done, or something has come already; nothing has changed then
 */
export function readDirectly(stream: ServerHttp2Stream, onPiece: (piece: Uint8Array) => void): boolean {
  const handle = handleOf(stream);
  if (BUFFER_KEYS === undefined || typeof handle?.useUserBuffer !== 'function') return false;
  if (stream.readableLength > 0) return false;
  const own = stream as unknown as WithSymbols;
  own[BUFFER_KEYS.buffer] = READ_INTO;
  own[BUFFER_KEYS.onRead] = (size: number) => onPiece(new Uint8Array(READ_INTO.buffer, 0, size));
  own[BUFFER_KEYS.nextBuffer] = null;
  handle.useUserBuffer(READ_INTO);
  stream.read(0);
  return true;
}

/**
 * Sends OK_TRAILERS; to be called on 'wantTrailers'. Node puts trailers off until the next turn, and so into a write of
 * their own. nghttp2 takes them now (nghttp2_data_source_read_callback in its documentation), and they leave with the
 * answer. What Node itself hands to its handle the first time is kept and handed over again.
 */
export function sendOkTrailers(stream: ServerHttp2Stream): void {
  const handle = handleOf(stream);
  if (handle !== undefined && okList !== undefined) {
    if (handle.trailers(okList) < 0) stream.destroy();
    return;
  }
  if (typeof handle?.trailers === 'function') {
    const { trailers } = handle;
    handle.trailers = (list) => {
      okList = list;
      return trailers.call(handle, list);
    };
  }
  stream.sendTrailers(OK_TRAILERS);
}

/**
 * Writes one short piece and ends the stream. `stream.end(piece)` would end it only when the piece has left the
 * machine; this way all of the answer leaves in one write. HTTP/2's flow control holds as ever.
 */
export function endWith(stream: ServerHttp2Stream, piece: Uint8Array): void {
  stream._write(piece, 'buffer' as BufferEncoding, ignore);
  stream.end();
}

/** A write that fails ends the connection, and every stream with it. */
function ignore(): void {}

function handleOf(stream: ServerHttp2Stream): Handle | undefined {
  handleKey ??= keyOf(stream, 'kHandle');
  return handleKey === undefined
    ? undefined
    : ((stream as unknown as WithSymbols)[handleKey] as Handle | undefined);
}

/** net.Socket has them as properties. */
function findBufferKeys(): BufferKeys | undefined {
  const socket = new Socket();
  const buffer = keyOf(socket, 'kBuffer');
  const onRead = keyOf(socket, 'kBufferCb');
  const nextBuffer = keyOf(socket, 'kBufferGen');
  return buffer === undefined || onRead === undefined || nextBuffer === undefined
    ? undefined
    : { buffer, onRead, nextBuffer };
}

function keyOf(object: object, description: string): symbol | undefined {
  return Object.getOwnPropertySymbols(object).find((key) => key.description === description);
}

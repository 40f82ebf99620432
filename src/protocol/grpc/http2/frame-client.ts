import { connect, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { FLAG, FRAME, FRAME_HEAD_BYTES } from './constants.ts';
import { HpackEncoder, type OutgoingHeaders } from './hpack-encoder.ts';
import { writeFrameHead } from './outbox.ts';

/** Test support: a client that sends the frames it is told to, reads when it is told to, and keeps what comes. */
export interface FrameClient {
  readonly socket: Socket;
  /** Content by stream, in its order. */
  readonly content: ReadonlyMap<number, readonly Buffer[]>;
  /** Streams that the server has ended. */
  readonly ended: ReadonlySet<number>;
  /** Streams that the server has reset, with the last code. */
  readonly resets: ReadonlyMap<number, number>;
  /** The codes of what the server said in farewell. */
  readonly farewells: readonly number[];
  /** Answers to pings. */
  readonly pongs: number;
  /** Resolves when the connection is closed. */
  readonly closed: Promise<void>;
  send(...frames: readonly Uint8Array[]): void;
  /** Stops reading: what the server writes stays in the system's buffers, and then in the server's. */
  pause(): void;
  resume(): void;
}

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/**
 * @param settings pairs of a name and a value
 * @param secure a socket over TLS that is being connected. Default: clear text
 */
export async function connectFrames(
  port: number,
  settings: readonly (readonly [number, number])[] = [],
  secure?: TLSSocket,
): Promise<FrameClient> {
  const socket = secure ?? connect(port, '127.0.0.1');
  const content = new Map<number, Buffer[]>();
  const ended = new Set<number>();
  const resets = new Map<number, number>();
  const farewells: number[] = [];
  let pongs = 0;
  let unread: Buffer = Buffer.alloc(0);
  socket.on('error', () => {});
  socket.on('data', (bytes: Buffer) => {
    unread = unread.length === 0 ? bytes : Buffer.concat([unread, bytes]);
    let at = 0;
    while (unread.length - at >= FRAME_HEAD_BYTES) {
      const end = at + FRAME_HEAD_BYTES + unread.readUIntBE(at, 3);
      if (end > unread.length) break;
      take(unread.subarray(at, end));
      at = end;
    }
    unread = unread.subarray(at);
  });
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  await new Promise<void>((resolve) =>
    socket.on(secure === undefined ? 'connect' : 'secureConnect', resolve),
  );

  function take(bytes: Buffer): void {
    const [type, flags] = [bytes[3]!, bytes[4]!];
    const streamId = bytes.readUInt32BE(5);
    const payload = bytes.subarray(FRAME_HEAD_BYTES);
    if (type === FRAME.DATA) {
      if (!content.has(streamId)) content.set(streamId, []);
      content.get(streamId)!.push(payload);
    }
    const mayEnd = type === FRAME.DATA || type === FRAME.HEADERS;
    if (mayEnd && (flags & FLAG.END_STREAM) !== 0) ended.add(streamId);
    if (type === FRAME.RST_STREAM) resets.set(streamId, payload.readUInt32BE(0));
    if (type === FRAME.GOAWAY) farewells.push(payload.readUInt32BE(4));
    if (type === FRAME.PING && (flags & FLAG.ACK) !== 0) pongs += 1;
  }

  socket.write(Buffer.concat([PREFACE, settingsFrame(settings)]));
  return {
    ...{ socket, content, ended, resets, farewells, closed },
    get pongs() {
      return pongs;
    },
    send: (...frames) => void socket.write(Buffer.concat(frames)),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
  };
}

export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array = new Uint8Array(0),
): Buffer {
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  writeFrameHead(head, 0, payload.length, type, flags, streamId);
  return Buffer.concat([head, payload]);
}

export function settingsFrame(settings: readonly (readonly [number, number])[]): Buffer {
  const payload = Buffer.alloc(6 * settings.length);
  for (const [index, [name, value]] of settings.entries()) {
    payload.writeUInt16BE(name, 6 * index);
    payload.writeUInt32BE(value, 6 * index + 2);
  }
  return frame(FRAME.SETTINGS, 0, 0, payload);
}

/** WINDOW_UPDATE or RST_STREAM. */
export function numberFrame(type: number, streamId: number, value: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(value);
  return frame(type, 0, streamId, payload);
}

/** A request, in a block of which nothing is kept. */
export function requestFrame(streamId: number, headers: OutgoingHeaders = {}, isEnd = false): Buffer {
  const block = new HpackEncoder().encode({
    ...{ ':method': 'POST', ':scheme': 'http', ':path': '/', ':authority': 'here' },
    ...{ 'content-type': 'application/grpc', te: 'trailers' },
    ...headers,
  });
  return frame(FRAME.HEADERS, FLAG.END_HEADERS | (isEnd ? FLAG.END_STREAM : 0), streamId, block);
}

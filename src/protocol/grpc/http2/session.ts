import type { Socket } from 'node:net';
import type { Timer } from '../../../base/util/clock.ts';
import { readDirectly } from '../../direct-socket.ts';
import {
  ANY_STREAM,
  ConnectionError,
  DEFAULT_FRAME_BYTES,
  DEFAULT_WINDOW_BYTES,
  ERROR,
  FLAG,
  FRAME,
  SETTING,
} from './constants.ts';
import { FrameReader } from './frame-reader.ts';
import type { OutgoingHeaders } from './hpack-encoder.ts';
import { Outbox } from './outbox.ts';
import { Receiver, type ReceiverHost, type ReceiverOptions } from './receiver.ts';
import type { Headers } from './request-headers.ts';
import { Sender } from './sender.ts';
import { ServerStream, type StreamHost } from './stream.ts';

export interface SessionOptions extends ReceiverOptions {
  /** Streams that may be open at once. */
  readonly maxConcurrentStreams: number;
}

export interface SessionEvents {
  /** A request begins. @param headers `too large`: more than were allowed */
  onStream(stream: ServerStream, headers: Headers | 'too large'): void;
  /** The client has said what it expects: it speaks HTTP/2. */
  onGreeted(): void;
  onPing(): void;
  /** The connection is over, and so are all its streams. */
  onClose(): void;
  /** A fault of ours, which costs the connection. */
  onFault(thrown: unknown): void;
}

/**
 * What all connections read into: what is to outlive its read is copied out of it. Larger than what Node reads at once,
 * which saves large requests a tenth of their time.
 */
const READ_BUFFER = Buffer.allocUnsafeSlow(256 * 1024);

/** What may wait for a client that does not read, answers to its pings and settings included, before it is cut off. */
const MOST_BACKLOG_BYTES = 4 * 1024 * 1024;

/** While a read is worked through, answers leave in portions of this, so that the client has them earlier. */
const FLUSH_BYTES = 4096;

/** Of so many streams that we have reset it is known that what their clients sent before they knew is passed over. */
const MOST_REMEMBERED_RESETS = 1000;

/** How long what a client still sends is read after it was told the last. */
const LINGER_MS = 3000;

const PING_CONTENT = Buffer.from('nimify\0\0', 'latin1');
const NO_HEADERS: Headers = {};

/**
 * The server's end of one HTTP/2 connection (RFC 9113): streams, their beginning and their end. Nothing about gRPC, and
 * nothing of HTTP/2 that no gRPC client uses: no push, no priorities, no upgrade from HTTP/1.1.
 */
export class Session implements ReceiverHost, StreamHost {
  readonly socket: Socket;
  readonly streams = new Map<number, ServerStream>();
  readonly sender: Sender;
  /** Nothing more is read. */
  isOver = false;
  /** No more streams are taken. */
  isClosing = false;
  readonly #options: SessionOptions;
  readonly #events: SessionEvents;
  readonly #reader: FrameReader;
  readonly #receiver: Receiver;
  readonly #outbox: Outbox;
  readonly #resetByUs = new Set<number>();
  #pings: (() => void)[] = [];
  #isReading = false;
  #isFlushDue = false;
  #lingering: Timer | undefined;

  /** @param accepted a socket of which the session is the only reader from now on */
  constructor(accepted: Socket, options: SessionOptions, events: SessionEvents) {
    this.#options = options;
    this.#events = events;
    this.#receiver = new Receiver(this, options);
    this.#reader = new FrameReader(this.#receiver, DEFAULT_FRAME_BYTES);
    const isEncrypted = 'encrypted' in accepted;
    const direct = isEncrypted || accepted.readableLength > 0 ? undefined : this.#readDirectly(accepted);
    this.socket = direct ?? accepted;
    this.#outbox = new Outbox(this.socket);
    this.sender = new Sender(
      this.#outbox,
      () => this.#wantFlush(),
      (stream) => this.#onEnded(stream),
    );
    this.socket
      .on('end', () => this.#onLeft())
      .on('error', ignore)
      .on('drain', () => this.#onDrain())
      .on('close', () => this.#onClosed());
    if (direct === undefined) this.socket.on('data', (bytes: Buffer) => this.#onBytes(bytes));
    // 'end' is told only where the stream flows.
    else this.socket.resume();
    this.#greet();
  }

  /** What was written and the client has not taken, in bytes. */
  get backlogBytes(): number {
    return this.#outbox.backlogBytes;
  }

  /** What the client has taken so far, in bytes. */
  get takenBytes(): number {
    return this.#outbox.takenBytes;
  }

  /** @param onAnswer called when the client answers, and not if it never does */
  ping(onAnswer: () => void): void {
    if (this.isOver) return;
    this.#pings.push(onAnswer);
    this.#outbox.frame(FRAME.PING, 0, 0, PING_CONTENT);
    this.#wantFlush();
  }

  /**
   * Tells the client to go.
   * @param code one of ERROR
   * @param lastStreamId the last stream that is served. Default: whatever it still opens
   */
  goAway(code: number, words = '', lastStreamId = ANY_STREAM): void {
    if (this.isOver) return;
    const payload = Buffer.alloc(8 + words.length);
    payload.writeUInt32BE(lastStreamId, 0);
    payload.writeUInt32BE(code, 4);
    payload.write(words, 8, 'latin1');
    this.#outbox.frame(FRAME.GOAWAY, 0, 0, payload);
    this.#wantFlush();
  }

  /** Takes no more streams, and ends when those that are open have ended and the client has taken their answers. */
  close(): void {
    if (this.isOver || this.isClosing) return;
    this.isClosing = true;
    this.goAway(ERROR.NO_ERROR, '', this.#receiver.lastStreamId);
    if (this.streams.size === 0) this.#finish();
  }

  /** Ends it now. @param code why, where the client did something wrong and is to know; one of ERROR */
  destroy(code?: number, words?: string): void {
    if (code !== undefined && !this.isOver) {
      this.goAway(code, words, this.#receiver.lastStreamId);
      this.#dismiss();
      return;
    }
    this.#stop();
    if (this.backlogBytes > 0) this.socket.destroy();
    else this.socket.destroySoon();
  }

  open(streamId: number, headers: Headers | 'too large'): ServerStream | undefined {
    const { maxConcurrentStreams, streamWindowBytes } = this.#options;
    const known = headers === 'too large' ? NO_HEADERS : headers;
    const announced = known['content-length'];
    if (this.isClosing || this.streams.size >= maxConcurrentStreams) {
      this.sendReset(streamId, ERROR.REFUSED_STREAM);
      return undefined;
    }
    if (announced !== undefined && !LENGTH.test(announced)) {
      this.sendReset(streamId, ERROR.PROTOCOL_ERROR);
      return undefined;
    }
    const stream = new ServerStream(streamId, this, known, this.sender.initialWindow, streamWindowBytes);
    if (announced !== undefined) stream.expectedBytes = Number(announced);
    this.streams.set(streamId, stream);
    this.#events.onStream(stream, headers);
    return stream;
  }

  reset(stream: ServerStream, code: number): void {
    this.sendReset(stream.id, code);
    this.forget(stream);
  }

  forget(stream: ServerStream): void {
    this.streams.delete(stream.id);
    this.sender.leaveLine(stream);
    stream.close();
    if (this.isClosing && this.streams.size === 0) this.#finish();
  }

  giveBackWindow(stream: ServerStream): void {
    if (stream.isHeld || stream.isRemoteEnded || stream.isClosed) return;
    if (stream.unreturnedBytes < this.#options.streamWindowBytes / 2) return;
    this.sendWindowUpdate(stream.id, stream.unreturnedBytes);
    stream.receiveWindow += stream.unreturnedBytes;
    stream.unreturnedBytes = 0;
  }

  whenTaken(callback: () => void): void {
    this.#outbox.whenTaken(callback);
  }

  sendHead(stream: ServerStream, headers: OutgoingHeaders | undefined, isEnd: boolean): void {
    this.sender.sendHead(stream, headers, isEnd);
  }

  sendContent(stream: ServerStream, chunks: readonly Uint8Array[], onSent: (() => void) | undefined): void {
    this.sender.sendContent(stream, chunks, onSent);
  }

  endWhenSent(stream: ServerStream): void {
    this.sender.endWhenSent(stream);
  }

  sendReset(streamId: number, code: number): void {
    if (this.isOver) return;
    if (this.#resetByUs.size >= MOST_REMEMBERED_RESETS) {
      const [oldest] = this.#resetByUs;
      this.#resetByUs.delete(oldest!);
    }
    this.#resetByUs.add(streamId);
    this.#sendNumber(FRAME.RST_STREAM, streamId, code);
  }

  wasReset(streamId: number): boolean {
    return this.#resetByUs.has(streamId);
  }

  sendWindowUpdate(streamId: number, bytes: number): void {
    this.#sendNumber(FRAME.WINDOW_UPDATE, streamId, bytes);
  }

  acknowledge(type: number, payload: Buffer): void {
    this.#outbox.frame(type, FLAG.ACK, 0, payload);
    this.#wantFlush();
  }

  onGreeted(): void {
    this.#events.onGreeted();
  }

  onPing(): void {
    this.#events.onPing();
  }

  onPong(payload: Buffer): void {
    if (payload.equals(PING_CONTENT)) this.#pings.shift()?.();
  }

  #readDirectly(accepted: Socket): Socket | undefined {
    return readDirectly(accepted, {
      place: () => READ_BUFFER,
      onRead: (size) => this.#onBytes(READ_BUFFER.subarray(0, size)),
    });
  }

  #greet(): void {
    const { maxConcurrentStreams, streamWindowBytes, maxHeaderListBytes, connectionWindowBytes } =
      this.#options;
    const settings = [
      [SETTING.MAX_CONCURRENT_STREAMS, maxConcurrentStreams],
      [SETTING.INITIAL_WINDOW_SIZE, streamWindowBytes],
      [SETTING.MAX_HEADER_LIST_SIZE, maxHeaderListBytes],
    ] as const;
    const payload = Buffer.alloc(6 * settings.length);
    for (const [index, [name, value]] of settings.entries()) {
      payload.writeUInt16BE(name, 6 * index);
      payload.writeUInt32BE(value, 6 * index + 2);
    }
    this.#outbox.frame(FRAME.SETTINGS, 0, 0, payload);
    this.sendWindowUpdate(0, connectionWindowBytes - DEFAULT_WINDOW_BYTES);
    this.#outbox.flush();
  }

  #onBytes(bytes: Buffer): void {
    if (this.isOver) return;
    this.#isReading = true;
    try {
      this.#reader.push(bytes);
    } catch (thrown) {
      this.#fail(thrown);
    }
    this.#isReading = false;
    this.#flush();
  }

  /** Tells the client what it did wrong, and ends. */
  #fail(thrown: unknown): void {
    const isTheirs = thrown instanceof ConnectionError;
    const { code, message } = isTheirs ? thrown : { code: ERROR.INTERNAL_ERROR, message: 'internal error' };
    if (!isTheirs) this.#events.onFault(thrown);
    this.goAway(code, message, this.#receiver.lastStreamId);
    this.#dismiss();
  }

  /** Ends when the client has taken what was written; whether it does is for others to watch. */
  #finish(): void {
    this.#stop();
    this.socket.end(() => this.#linger());
  }

  /** Ends soon, whether or not the client takes what was written. */
  #dismiss(): void {
    this.#stop();
    this.socket.end();
    this.#linger();
  }

  /** What the client still sends is read and forgotten: bytes that come to a closed socket would undo what it was told. */
  #linger(): void {
    if (this.socket.destroyed || this.#lingering !== undefined) return;
    this.#lingering = this.#options.clock.setTimer(() => this.socket.destroy(), LINGER_MS);
  }

  /** The client sends nothing more. */
  #onLeft(): void {
    if (this.isOver) this.socket.destroySoon();
    else this.destroy();
  }

  #stop(): void {
    if (this.isOver) return;
    this.#outbox.flush();
    this.isOver = true;
    for (const stream of this.streams.values()) stream.close();
    this.streams.clear();
    this.#pings = [];
  }

  #onClosed(): void {
    this.#stop();
    this.#lingering?.cancel();
    this.#outbox.settleAll();
    this.#events.onClose();
  }

  #onDrain(): void {
    if (this.isOver) return;
    this.sender.sendLine();
    this.#flush();
  }

  #onEnded(stream: ServerStream): void {
    this.#receiver.noteAnswered();
    // The client need not send the rest of its request (RFC 9113, 8.1).
    if (!stream.isRemoteEnded) this.sendReset(stream.id, ERROR.NO_ERROR);
    this.forget(stream);
  }

  #sendNumber(type: number, streamId: number, value: number): void {
    const payload = Buffer.allocUnsafe(4);
    payload.writeUInt32BE(value, 0);
    this.#outbox.frame(type, 0, streamId, payload);
    this.#wantFlush();
  }

  #wantFlush(): void {
    if (this.#isReading) {
      if (this.#outbox.waitingBytes >= FLUSH_BYTES) this.#flush();
    } else if (!this.#isFlushDue) {
      this.#isFlushDue = true;
      // Behind everything else that is answered in this turn.
      process.nextTick(flush, this);
    }
  }

  /** For `flush` below. */
  flushNow(): void {
    this.#isFlushDue = false;
    this.#flush();
  }

  #flush(): void {
    if (this.isOver) return;
    this.#outbox.flush();
    if (this.backlogBytes > MOST_BACKLOG_BYTES) this.socket.destroy();
  }
}

/** An announced length of content (RFC 9110, 8.6). */
const LENGTH = /^\d{1,15}$/;

function flush(session: Session): void {
  session.flushNow();
}

/** A socket that fails closes as well. */
function ignore(): void {}

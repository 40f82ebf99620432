import type { Clock } from '../../../base/util/clock.ts';
import { Allowance } from './allowance.ts';
import {
  ConnectionError,
  DEFAULT_FRAME_BYTES,
  ERROR,
  FLAG,
  FRAME,
  LARGEST_FRAME_BYTES,
  LARGEST_WINDOW_BYTES,
  SETTING,
} from './constants.ts';
import type { FrameSink } from './frame-reader.ts';
import { blockIn, dependsOn, HeaderBlock } from './header-block.ts';
import { HpackDecoder } from './hpack-decoder.ts';
import { createHeaderReader, type HeaderReader, type Headers } from './request-headers.ts';
import type { Sender } from './sender.ts';
import type { ServerStream } from './stream.ts';

export interface ReceiverOptions {
  readonly clock: Clock;
  /**
   * Content of one stream that may come before any of it was taken, in bytes: no less than the default, which clients
   * take for it until they know.
   */
  readonly streamWindowBytes: number;
  /** The same of all streams together. */
  readonly connectionWindowBytes: number;
  /** Fields of one request, each counted with 32 bytes besides its text. */
  readonly maxHeaderListBytes: number;
}

/** The connection that is received for. */
export interface ReceiverHost {
  readonly isOver: boolean;
  readonly streams: ReadonlyMap<number, ServerStream>;
  readonly sender: Sender;
  /** Opens a stream for a request; its content is still to come. Undefined: it is not taken, and has been reset. */
  open(streamId: number, headers: Headers | 'too large'): ServerStream | undefined;
  reset(stream: ServerStream, code: number): void;
  /** The stream was reset by the client. */
  forget(stream: ServerStream): void;
  sendReset(streamId: number, code: number): void;
  /** What came on the stream before we had reset it is passed over. */
  wasReset(streamId: number): boolean;
  sendWindowUpdate(streamId: number, bytes: number): void;
  giveBackWindow(stream: ServerStream): void;
  acknowledge(type: number, payload: Buffer): void;
  onGreeted(): void;
  onPing(): void;
  onPong(payload: Buffer): void;
}

/**
 * Streams that a client opens and resets (CVE-2023-44487), or makes us reset by what it sends (CVE-2025-8671), beside as
 * many as it lets us answer: clients that cancel what takes too long stay below by far.
 */
const RESETS = { most: 1000, perSecond: 200 };

/** Settings in one frame: there are few, and each may concern all streams. */
const MOST_SETTINGS = 32;

/** Frames that bring nothing, and still have to be read or answered (CVE-2019-9512, -9515, -9518). */
const EMPTY_FRAMES = { most: 10_000, perSecond: 1000 };

/** The receiving half of a connection: what each frame means, and whether it may be there (RFC 9113, 5 and 6). */
export class Receiver implements FrameSink {
  readonly #host: ReceiverHost;
  readonly #options: ReceiverOptions;
  readonly #headers: HeaderReader;
  readonly #resets: Allowance;
  readonly #emptyFrames: Allowance;
  #hasSettings = false;
  #lastStreamId = 0;
  /** What the client may send on all streams together, and what of that was taken and not said. */
  #window: number;
  #unreturnedBytes = 0;
  /** The stream of the DATA frame that is coming. */
  #data: ServerStream | undefined;
  /** The header block of which there is more to come. */
  #block: HeaderBlock | undefined;

  constructor(host: ReceiverHost, options: ReceiverOptions) {
    this.#host = host;
    this.#options = options;
    this.#headers = createHeaderReader(new HpackDecoder(), options.maxHeaderListBytes);
    this.#resets = new Allowance(options.clock, RESETS);
    this.#emptyFrames = new Allowance(options.clock, EMPTY_FRAMES);
    this.#window = options.connectionWindowBytes;
  }

  get isOver(): boolean {
    return this.#host.isOver;
  }

  get lastStreamId(): number {
    return this.#lastStreamId;
  }

  /** A stream was answered: one more may be reset. */
  noteAnswered(): void {
    this.#resets.giveBack();
  }

  onHead(type: number, flags: number, streamId: number, length: number): void {
    if (!this.#hasSettings && (type !== FRAME.SETTINGS || (flags & FLAG.ACK) !== 0)) {
      throw protocolError('expected SETTINGS first');
    }
    if (this.#block !== undefined && (type !== FRAME.CONTINUATION || streamId !== this.#block.streamId)) {
      throw protocolError('expected the rest of a header block');
    }
    if (type === FRAME.DATA) this.#onDataHead(streamId, length, (flags & FLAG.END_STREAM) !== 0);
  }

  #onDataHead(streamId: number, length: number, isEnd: boolean): void {
    const host = this.#host;
    if (streamId === 0) throw protocolError('DATA without a stream');
    this.#window -= length;
    if (this.#window < 0)
      throw new ConnectionError(ERROR.FLOW_CONTROL_ERROR, 'more content than was allowed');
    // Whoever it is for: it is passed on or forgotten at once.
    this.#unreturnedBytes += length;
    if (this.#unreturnedBytes >= this.#options.connectionWindowBytes / 4) {
      host.sendWindowUpdate(0, this.#unreturnedBytes);
      this.#window += this.#unreturnedBytes;
      this.#unreturnedBytes = 0;
    }
    if (length === 0 && !isEnd) this.#countEmpty();
    const stream = host.streams.get(streamId);
    this.#data = undefined;
    if (stream === undefined) this.#onLateData(streamId);
    else if (stream.isRemoteEnded) this.#reset(stream, ERROR.STREAM_CLOSED);
    else if (stream.receiveWindow < length) this.#reset(stream, ERROR.FLOW_CONTROL_ERROR);
    else {
      stream.receiveWindow -= length;
      stream.unreturnedBytes += length;
      this.#data = stream;
    }
  }

  /** Of a stream that is not open (RFC 9113, 5.1). */
  #onLateData(streamId: number): void {
    if (streamId > this.#lastStreamId || streamId % 2 === 0)
      throw protocolError('DATA on a stream that was never opened');
    this.#countEmpty();
    if (!this.#host.wasReset(streamId)) this.#host.sendReset(streamId, ERROR.STREAM_CLOSED);
  }

  onDataPiece(piece: Buffer): void {
    const stream = this.#data;
    if (stream === undefined || stream.isClosed) return;
    if (stream.expectedBytes !== undefined) {
      stream.expectedBytes -= piece.length;
      if (stream.expectedBytes < 0) {
        this.#reset(stream, ERROR.PROTOCOL_ERROR);
        return;
      }
    }
    if (stream.receive(piece)) this.#host.giveBackWindow(stream);
  }

  onDataEnd(flags: number): void {
    const stream = this.#data;
    this.#data = undefined;
    if (stream === undefined) return;
    if ((flags & FLAG.END_STREAM) !== 0) this.#endRemote(stream);
    else if ((flags & FLAG.PADDED) !== 0) this.#host.giveBackWindow(stream);
  }

  #endRemote(stream: ServerStream): void {
    if (stream.isClosed) return;
    // Less came than was announced (RFC 9113, 8.1.1).
    if (stream.expectedBytes !== undefined && stream.expectedBytes > 0) {
      this.#reset(stream, ERROR.PROTOCOL_ERROR);
    } else stream.receiveEnd();
  }

  onFrame(type: number, flags: number, streamId: number, payload: Buffer): void {
    switch (type) {
      case FRAME.HEADERS:
        this.#onHeaders(flags, streamId, payload);
        break;
      case FRAME.CONTINUATION:
        this.#onContinuation(flags, payload);
        break;
      case FRAME.WINDOW_UPDATE:
        this.#onWindowUpdate(streamId, payload);
        break;
      case FRAME.RST_STREAM:
        this.#onReset(streamId, payload);
        break;
      case FRAME.SETTINGS:
        this.#onSettings(flags, streamId, payload);
        break;
      case FRAME.PING:
        this.#onPing(flags, streamId, payload);
        break;
      case FRAME.PRIORITY:
        this.#onPriority(streamId, payload);
        break;
      case FRAME.GOAWAY:
        if (streamId !== 0) throw protocolError('GOAWAY on a stream');
        if (payload.length < 8) throw wrongSize('GOAWAY is too short');
        break;
      case FRAME.PUSH_PROMISE:
        throw protocolError('PUSH_PROMISE from a client');
      default:
        // Of extensions that are not known (RFC 9113, 5.5).
        this.#countEmpty();
    }
  }

  #onHeaders(flags: number, streamId: number, payload: Buffer): void {
    if (streamId % 2 === 0) throw protocolError('HEADERS on a stream that is no client may open');
    const block = blockIn(flags, streamId, payload);
    const isEnd = (flags & FLAG.END_STREAM) !== 0;
    if ((flags & FLAG.END_HEADERS) !== 0) this.#onBlock(streamId, isEnd, block);
    else this.#block = new HeaderBlock(streamId, isEnd, block);
  }

  #onContinuation(flags: number, payload: Buffer): void {
    const block = this.#block;
    if (block === undefined) throw protocolError('CONTINUATION without HEADERS');
    block.add(payload);
    if ((flags & FLAG.END_HEADERS) === 0) return;
    this.#block = undefined;
    this.#onBlock(block.streamId, block.isEnd, block.take());
  }

  #onBlock(streamId: number, isEnd: boolean, block: Buffer): void {
    if (streamId > this.#lastStreamId) this.#onRequest(streamId, isEnd, block);
    else this.#onTrailers(streamId, isEnd, block);
  }

  #onRequest(streamId: number, isEnd: boolean, block: Buffer): void {
    this.#lastStreamId = streamId;
    const headers = this.#headers.readRequest(block);
    if (headers === 'malformed') {
      this.#host.sendReset(streamId, ERROR.PROTOCOL_ERROR);
      return;
    }
    const stream = this.#host.open(streamId, headers);
    if (isEnd && stream !== undefined) this.#endRemote(stream);
  }

  #onTrailers(streamId: number, isEnd: boolean, block: Buffer): void {
    const host = this.#host;
    // To be read even where nobody wants them, for what comes after them.
    const trailers = this.#headers.readTrailers(block);
    const stream = host.streams.get(streamId);
    if (stream === undefined) {
      this.#countEmpty();
      if (!host.wasReset(streamId))
        throw new ConnectionError(ERROR.STREAM_CLOSED, 'HEADERS on a stream that has ended');
    } else if (stream.isRemoteEnded) this.#reset(stream, ERROR.STREAM_CLOSED);
    else if (!isEnd || typeof trailers === 'string') this.#reset(stream, ERROR.PROTOCOL_ERROR);
    else this.#endRemote(stream);
  }

  #onWindowUpdate(streamId: number, payload: Buffer): void {
    if (payload.length !== 4) throw wrongSize('WINDOW_UPDATE expects four bytes');
    const { streams, sender } = this.#host;
    const bytes = payload.readUInt32BE(0) & 0x7fffffff;
    if (streamId === 0) {
      if (bytes === 0) throw protocolError('WINDOW_UPDATE of nothing');
      if (!sender.widenConnection(bytes)) throw windowTooLarge();
      return;
    }
    const stream = streams.get(streamId);
    if (stream === undefined) this.#checkOpened(streamId, 'WINDOW_UPDATE');
    else if (bytes === 0) this.#reset(stream, ERROR.PROTOCOL_ERROR);
    else if (!sender.widenStream(stream, bytes)) this.#reset(stream, ERROR.FLOW_CONTROL_ERROR);
  }

  #onReset(streamId: number, payload: Buffer): void {
    if (streamId === 0) throw protocolError('RST_STREAM without a stream');
    if (payload.length !== 4) throw wrongSize('RST_STREAM expects four bytes');
    this.#checkOpened(streamId, 'RST_STREAM');
    if (!this.#resets.take()) throw tooMuch('too many streams were reset');
    const stream = this.#host.streams.get(streamId);
    if (stream !== undefined) this.#host.forget(stream);
  }

  /** Ends a stream on which the client did something wrong. */
  #reset(stream: ServerStream, code: number): void {
    if (!this.#resets.take()) throw tooMuch('too many streams were reset');
    this.#host.reset(stream, code);
  }

  #checkOpened(streamId: number, what: string): void {
    if (streamId > this.#lastStreamId) throw protocolError(`${what} on a stream that was never opened`);
  }

  #onSettings(flags: number, streamId: number, payload: Buffer): void {
    if (streamId !== 0) throw protocolError('SETTINGS on a stream');
    const isAck = (flags & FLAG.ACK) !== 0;
    if (payload.length % 6 !== 0 || (isAck && payload.length > 0))
      throw wrongSize('SETTINGS has a wrong length');
    if (payload.length > 6 * MOST_SETTINGS) throw tooMuch('too many settings');
    this.#countEmpty();
    if (isAck) return;
    for (let at = 0; at < payload.length; at += 6)
      this.#set(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
    this.#host.acknowledge(FRAME.SETTINGS, NOTHING);
    this.#host.sender.sendAll(this.#host.streams.values());
    if (this.#hasSettings) return;
    this.#hasSettings = true;
    this.#host.onGreeted();
  }

  /** RFC 9113, 6.5.2. Of what is not known nothing follows. */
  #set(name: number, value: number): void {
    const { sender, streams } = this.#host;
    if (name === SETTING.HEADER_TABLE_SIZE) sender.encoder.setTableSize(value);
    else if (name === SETTING.ENABLE_PUSH && value > 1) throw protocolError('ENABLE_PUSH is neither 0 nor 1');
    else if (name === SETTING.INITIAL_WINDOW_SIZE) {
      const fits = value <= LARGEST_WINDOW_BYTES && sender.setInitialWindow(value, streams.values());
      if (!fits) throw windowTooLarge();
    } else if (name === SETTING.MAX_FRAME_SIZE) {
      if (value < DEFAULT_FRAME_BYTES || value > LARGEST_FRAME_BYTES)
        throw protocolError('MAX_FRAME_SIZE is out of range');
      sender.setMaxFrameBytes(value);
    }
  }

  #onPing(flags: number, streamId: number, payload: Buffer): void {
    if (streamId !== 0) throw protocolError('PING on a stream');
    if (payload.length !== 8) throw wrongSize('PING expects eight bytes');
    if ((flags & FLAG.ACK) !== 0) {
      this.#host.onPong(payload);
      return;
    }
    this.#countEmpty();
    this.#host.acknowledge(FRAME.PING, payload);
    this.#host.onPing();
  }

  /** Priorities are out of use (RFC 9113, 5.3.2), and still to be read. */
  #onPriority(streamId: number, payload: Buffer): void {
    this.#countEmpty();
    if (streamId === 0) throw protocolError('PRIORITY without a stream');
    if (payload.length !== 5) this.#refuse(streamId, ERROR.FRAME_SIZE_ERROR);
    else if (dependsOn(payload, 0) === streamId) this.#refuse(streamId, ERROR.PROTOCOL_ERROR);
  }

  /** A stream error, or where there is no stream yet an error of the connection. */
  #refuse(streamId: number, code: number): void {
    const stream = this.#host.streams.get(streamId);
    if (stream !== undefined) this.#reset(stream, code);
    else if (streamId > this.#lastStreamId || streamId % 2 === 0)
      throw new ConnectionError(code, 'a priority that is none');
    else this.#host.sendReset(streamId, code);
  }

  #countEmpty(): void {
    if (!this.#emptyFrames.take()) throw tooMuch('too many frames without content');
  }
}

const NOTHING = Buffer.alloc(0);

function protocolError(message: string): ConnectionError {
  return new ConnectionError(ERROR.PROTOCOL_ERROR, message);
}

function wrongSize(message: string): ConnectionError {
  return new ConnectionError(ERROR.FRAME_SIZE_ERROR, message);
}

function windowTooLarge(): ConnectionError {
  return new ConnectionError(ERROR.FLOW_CONTROL_ERROR, 'a window is larger than any may be');
}

function tooMuch(message: string): ConnectionError {
  return new ConnectionError(ERROR.ENHANCE_YOUR_CALM, message);
}

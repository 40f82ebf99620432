import {
  DEFAULT_FRAME_BYTES,
  DEFAULT_WINDOW_BYTES,
  FLAG,
  FRAME,
  FRAME_HEAD_BYTES,
  LARGEST_WINDOW_BYTES,
} from './constants.ts';
import { HpackEncoder, OK_TRAILERS, type OutgoingHeaders } from './hpack-encoder.ts';
import { type Outbox, writeFrameHead } from './outbox.ts';
import type { ServerStream, StreamSender } from './stream.ts';

/** Content up to this is copied: cheaper than a write with several pieces, and nobody need wait for it. */
const LONGEST_COPIED = 4096;

/** So much may wait for the client to read; the rest stays in its streams. */
const MOST_BACKLOG_BYTES = 1024 * 1024;

/** So much of one stream is sent before it is the next one's turn, where several wait. */
const TURN_BYTES = 64 * 1024;

/**
 * The sending half of a connection: what flow control lets through (RFC 9113, 5.2), streams that wait taking turns.
 */
export class Sender implements StreamSender {
  readonly encoder = new HpackEncoder();
  readonly #outbox: Outbox;
  readonly #onEnded: (stream: ServerStream) => void;
  readonly #wantFlush: () => void;
  /** Of the whole connection. */
  #window = DEFAULT_WINDOW_BYTES;
  #initialWindow = DEFAULT_WINDOW_BYTES;
  #maxFrameBytes = DEFAULT_FRAME_BYTES;
  /** Streams that could send, were it not for the connection. */
  readonly #line: ServerStream[] = [];

  /**
   * @param wantFlush called when something was put into the outbox
   * @param onEnded called when all of a stream has been put there
   */
  constructor(outbox: Outbox, wantFlush: () => void, onEnded: (stream: ServerStream) => void) {
    this.#outbox = outbox;
    this.#wantFlush = wantFlush;
    this.#onEnded = onEnded;
  }

  /** What a new stream may send. */
  get initialWindow(): number {
    return this.#initialWindow;
  }

  setMaxFrameBytes(bytes: number): void {
    this.#maxFrameBytes = bytes;
  }

  /**
   * Streams that may send more then are to be told so with `sendAll`.
   * @returns false: a stream's window would be larger than any may be
   */
  setInitialWindow(bytes: number, streams: Iterable<ServerStream>): boolean {
    const more = bytes - this.#initialWindow;
    this.#initialWindow = bytes;
    for (const stream of streams) {
      stream.sendWindow += more;
      if (stream.sendWindow > LARGEST_WINDOW_BYTES) return false;
    }
    return true;
  }

  sendAll(streams: Iterable<ServerStream>): void {
    for (const stream of streams) this.#sendOn(stream);
  }

  /** @returns false: the window would be larger than any may be */
  widenConnection(bytes: number): boolean {
    this.#window += bytes;
    if (this.#window > LARGEST_WINDOW_BYTES) return false;
    this.sendLine();
    return true;
  }

  /** @returns false: the window would be larger than any may be */
  widenStream(stream: ServerStream, bytes: number): boolean {
    stream.sendWindow += bytes;
    if (stream.sendWindow > LARGEST_WINDOW_BYTES) return false;
    this.#sendOn(stream);
    return true;
  }

  sendHead(stream: ServerStream, headers: OutgoingHeaders | undefined, isEnd: boolean): void {
    const outbox = this.#outbox;
    if (headers === undefined) {
      const slab = outbox.room(FRAME_HEAD_BYTES + 128);
      const { at } = outbox;
      const end = this.encoder.writeOkHead(slab, at + FRAME_HEAD_BYTES);
      writeFrameHead(slab, at, end - at - FRAME_HEAD_BYTES, FRAME.HEADERS, FLAG.END_HEADERS, stream.id);
      outbox.put(end);
    } else this.#writeBlock(stream, this.encoder.encode(headers), isEnd ? FLAG.END_STREAM : 0);
    this.#wantFlush();
    if (isEnd) this.#onEnded(stream);
  }

  sendContent(stream: ServerStream, chunks: readonly Uint8Array[], onSent: (() => void) | undefined): void {
    let byteLength = 0;
    for (let i = 0; i < chunks.length; i += 1) byteLength += chunks[i]!.length;
    if (stream.queuedBytes === 0 && byteLength <= LONGEST_COPIED && this.#mayCopy(stream, byteLength)) {
      const outbox = this.#outbox;
      outbox.room(FRAME_HEAD_BYTES + byteLength);
      outbox.frameHead(byteLength, FRAME.DATA, 0, stream.id);
      for (let i = 0; i < chunks.length; i += 1) outbox.copy(chunks[i]!);
      stream.sendWindow -= byteLength;
      this.#window -= byteLength;
      this.#wantFlush();
      onSent?.();
      return;
    }
    // One answer after the other: nobody sends more before the last was taken.
    stream.onSent = onSent;
    stream.queue = stream.queuedBytes === 0 ? [...chunks] : [...stream.queue, ...chunks];
    stream.queuedBytes += byteLength;
    this.#sendOn(stream);
  }

  endWhenSent(stream: ServerStream): void {
    if (stream.queuedBytes === 0) this.#end(stream);
  }

  /** To be called when a stream is closed: who stands in line is held there. */
  leaveLine(stream: ServerStream): void {
    if (!stream.isInLine) return;
    stream.isInLine = false;
    this.#line.splice(this.#line.indexOf(stream), 1);
  }

  /** Those who stand in line send, as far as the connection lets them. */
  sendLine(): void {
    while (this.#line.length > 0 && this.#mayBytes() > 0) {
      const stream = this.#line.shift()!;
      stream.isInLine = false;
      this.#sendTurn(stream, TURN_BYTES);
    }
  }

  #mayCopy(stream: ServerStream, byteLength: number): boolean {
    const most = Math.min(stream.sendWindow, this.#maxFrameBytes, this.#mayBytes());
    return byteLength <= most && this.#line.length === 0;
  }

  /** What the connection can take now, whosever it is. */
  #mayBytes(): number {
    const { waitingBytes, backlogBytes } = this.#outbox;
    return Math.min(this.#window, MOST_BACKLOG_BYTES - waitingBytes - backlogBytes);
  }

  #sendOn(stream: ServerStream): void {
    if (stream.queuedBytes === 0 || stream.isInLine) return;
    this.#sendTurn(stream, this.#line.length === 0 ? Number.POSITIVE_INFINITY : 0);
  }

  /** Sends so much of a stream at most; then it gets in line, if it is only the connection that it waits for. */
  #sendTurn(stream: ServerStream, mostBytes: number): void {
    let left = mostBytes;
    let hasSent = false;
    while (stream.queuedBytes > 0) {
      const most = Math.min(stream.queuedBytes, stream.sendWindow, this.#maxFrameBytes);
      if (most <= 0) break;
      const length = Math.min(most, this.#mayBytes());
      if (length <= 0 || left <= 0) {
        stream.isInLine = true;
        this.#line.push(stream);
        break;
      }
      this.#writeQueued(stream, length);
      left -= length;
      hasSent = true;
    }
    if (!hasSent) return;
    stream.onProgress?.();
    if (stream.queuedBytes === 0) {
      const { onSent } = stream;
      stream.onSent = undefined;
      if (onSent !== undefined) this.#outbox.whenTaken(onSent);
      if (stream.trailers !== undefined) this.#end(stream);
    }
    this.#wantFlush();
  }

  /** One frame of what a stream has queued. */
  #writeQueued(stream: ServerStream, length: number): void {
    const outbox = this.#outbox;
    outbox.frameHead(length, FRAME.DATA, 0, stream.id);
    stream.queuedBytes -= length;
    stream.sendWindow -= length;
    this.#window -= length;
    for (let left = length; left > 0; ) {
      const chunk = stream.queue[0]!;
      const part = chunk.length <= left ? chunk : chunk.subarray(0, left);
      if (part.length <= LONGEST_COPIED) outbox.copy(part);
      else outbox.view(part);
      if (part === chunk) stream.queue.shift();
      else stream.queue[0] = chunk.subarray(part.length);
      left -= part.length;
    }
  }

  #end(stream: ServerStream): void {
    const { trailers = OK_TRAILERS } = stream;
    if (trailers === OK_TRAILERS) {
      const outbox = this.#outbox;
      const slab = outbox.room(FRAME_HEAD_BYTES + 32);
      const { at } = outbox;
      const end = this.encoder.writeOkTrailers(slab, at + FRAME_HEAD_BYTES);
      writeFrameHead(
        slab,
        at,
        end - at - FRAME_HEAD_BYTES,
        FRAME.HEADERS,
        FLAG.END_HEADERS | FLAG.END_STREAM,
        stream.id,
      );
      outbox.put(end);
    } else this.#writeBlock(stream, this.encoder.encode(trailers), FLAG.END_STREAM);
    this.#wantFlush();
    this.#onEnded(stream);
  }

  /** A header block, in as many frames as it takes. */
  #writeBlock({ id }: ServerStream, block: Buffer, flags: number): void {
    for (let at = 0; at === 0 || at < block.length; at += DEFAULT_FRAME_BYTES - FRAME_HEAD_BYTES) {
      const part = block.subarray(at, at + DEFAULT_FRAME_BYTES - FRAME_HEAD_BYTES);
      const isLast = at + part.length === block.length;
      const type = at === 0 ? FRAME.HEADERS : FRAME.CONTINUATION;
      this.#outbox.frame(type, (at === 0 ? flags : 0) | (isLast ? FLAG.END_HEADERS : 0), id, part);
    }
  }
}

import { ConnectionError, ERROR, FLAG, FRAME, FRAME_HEAD_BYTES } from './constants.ts';

/** Takes what comes on a connection, frame by frame. What it throws ends the connection. */
export interface FrameSink {
  /** Nothing more is to be read. */
  readonly isOver: boolean;
  /** A frame begins, of any type: whether it may be there is to be said now. */
  onHead(type: number, flags: number, streamId: number, length: number): void;
  /** Part of a DATA frame's content, without its padding. Valid until this returns. */
  onDataPiece(piece: Buffer): void;
  /** A DATA frame is complete. */
  onDataEnd(flags: number): void;
  /** Any other frame is complete. Its payload is valid until this returns. */
  onFrame(type: number, flags: number, streamId: number, payload: Buffer): void;
}

/** What each client says first (RFC 9113, 3.4). */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/**
 * Cuts the bytes of a connection into frames (RFC 9113, 4.1). DATA is passed on as it comes; of other frames the parts are
 * gathered.
 */
export class FrameReader {
  readonly #sink: FrameSink;
  readonly #maxFrameBytes: number;
  #prefaceLeft = PREFACE.length;
  /** A frame's head as far as it is there. */
  readonly #head = Buffer.alloc(FRAME_HEAD_BYTES);
  #headLength = 0;
  #type = -1;
  #flags = 0;
  #streamId = 0;
  /** Of the current frame's payload. */
  #left = 0;
  /** Of that, what is padding; -1: the length of the padding is to be read first. */
  #padding = 0;
  #gathered: Buffer | undefined;
  #gatheredLength = 0;

  constructor(sink: FrameSink, maxFrameBytes: number) {
    this.#sink = sink;
    this.#maxFrameBytes = maxFrameBytes;
  }

  /**
   * @param bytes valid until this returns
   * @throws ConnectionError what is wrong with them
   */
  push(bytes: Buffer): void {
    let at = this.#prefaceLeft === 0 ? 0 : this.#readPreface(bytes);
    while (at < bytes.length && !this.#sink.isOver) {
      if (this.#type < 0) at = this.#readHead(bytes, at);
      else if (this.#type === FRAME.DATA) at = this.#readData(bytes, at);
      else at = this.#readOther(bytes, at);
    }
  }

  #readPreface(bytes: Buffer): number {
    const from = PREFACE.length - this.#prefaceLeft;
    const length = Math.min(this.#prefaceLeft, bytes.length);
    if (PREFACE.compare(bytes, 0, length, from, from + length) !== 0) {
      throw new ConnectionError(ERROR.PROTOCOL_ERROR, 'the client does not speak HTTP/2');
    }
    this.#prefaceLeft -= length;
    return length;
  }

  #readHead(bytes: Buffer, start: number): number {
    if (this.#headLength === 0 && bytes.length - start >= FRAME_HEAD_BYTES) {
      this.#begin(bytes, start);
      return start + FRAME_HEAD_BYTES;
    }
    const copied = bytes.copy(this.#head, this.#headLength, start);
    this.#headLength += copied;
    if (this.#headLength === FRAME_HEAD_BYTES) {
      this.#headLength = 0;
      this.#begin(this.#head, 0);
    }
    return start + copied;
  }

  #begin(head: Buffer, at: number): void {
    const length = (head[at]! << 16) | (head[at + 1]! << 8) | head[at + 2]!;
    const type = head[at + 3]!;
    const flags = head[at + 4]!;
    const streamId =
      ((head[at + 5]! & 0x7f) << 24) | (head[at + 6]! << 16) | (head[at + 7]! << 8) | head[at + 8]!;
    if (length > this.#maxFrameBytes) {
      throw new ConnectionError(
        ERROR.FRAME_SIZE_ERROR,
        `a frame has ${length} bytes, which are more than are allowed`,
      );
    }
    this.#sink.onHead(type, flags, streamId, length);
    this.#type = type;
    this.#flags = flags;
    this.#streamId = streamId;
    this.#left = length;
    this.#padding = type === FRAME.DATA && (flags & FLAG.PADDED) !== 0 ? -1 : 0;
    if (this.#padding < 0 && length === 0) throw paddingTooLong();
    if (length === 0) this.#end(EMPTY);
  }

  #readData(bytes: Buffer, start: number): number {
    let at = start;
    if (this.#padding < 0) {
      this.#padding = bytes[at]!;
      at += 1;
      this.#left -= 1;
      if (this.#padding > this.#left) throw paddingTooLong();
    }
    const content = this.#left - this.#padding;
    const present = bytes.length - at;
    if (content > 0 && present > 0) {
      const length = Math.min(content, present);
      this.#left -= length;
      this.#sink.onDataPiece(at === 0 && length === bytes.length ? bytes : bytes.subarray(at, at + length));
      at += length;
    }
    if (this.#left === this.#padding) {
      const length = Math.min(this.#left, bytes.length - at);
      this.#left -= length;
      this.#padding -= length;
      at += length;
    }
    if (this.#left === 0) this.#end(EMPTY);
    return at;
  }

  #readOther(bytes: Buffer, start: number): number {
    const length = Math.min(this.#left, bytes.length - start);
    const part = bytes.subarray(start, start + length);
    this.#left -= length;
    if (this.#gathered === undefined && this.#left === 0) this.#end(part);
    else {
      this.#gathered ??= Buffer.allocUnsafe(length + this.#left);
      this.#gatheredLength += part.copy(this.#gathered, this.#gatheredLength);
      if (this.#left === 0) this.#end(this.#gathered);
    }
    return start + length;
  }

  #end(payload: Buffer): void {
    const type = this.#type;
    this.#type = -1;
    this.#gathered = undefined;
    this.#gatheredLength = 0;
    if (type === FRAME.DATA) this.#sink.onDataEnd(this.#flags);
    else this.#sink.onFrame(type, this.#flags, this.#streamId, payload);
  }
}

const EMPTY = Buffer.alloc(0);

function paddingTooLong(): ConnectionError {
  return new ConnectionError(ERROR.PROTOCOL_ERROR, 'a frame has more padding than bytes');
}

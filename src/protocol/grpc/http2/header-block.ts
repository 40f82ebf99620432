import { ConnectionError, ERROR, FLAG } from './constants.ts';

/** A header block on the wire, which has to be read whole, whatever is in it; and the frames that it comes in. */
const MOST_BYTES = 64 * 1024;
const MOST_FRAMES = 64;

/** A header block that comes in several frames (RFC 9113, 4.3). */
export class HeaderBlock {
  readonly streamId: number;
  /** The client's half of the stream ends with it. */
  readonly isEnd: boolean;
  readonly #parts: Buffer[] = [];
  #bytes = 0;

  constructor(streamId: number, isEnd: boolean, first: Buffer) {
    this.streamId = streamId;
    this.isEnd = isEnd;
    this.add(first);
  }

  /** @throws ConnectionError ENHANCE_YOUR_CALM */
  add(part: Buffer): void {
    this.#parts.push(Buffer.from(part));
    this.#bytes += part.length;
    if (this.#bytes > MOST_BYTES || this.#parts.length > MOST_FRAMES) {
      throw new ConnectionError(ERROR.ENHANCE_YOUR_CALM, 'a header block is too large');
    }
  }

  take(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

/**
 * The block in a HEADERS frame, without its padding and priority (RFC 9113, 6.2).
 * @throws ConnectionError PROTOCOL_ERROR
 */
export function blockIn(flags: number, streamId: number, payload: Buffer): Buffer {
  let start = 0;
  let end = payload.length;
  if ((flags & FLAG.PADDED) !== 0) {
    start = 1;
    end -= payload[0] ?? 0;
  }
  if ((flags & FLAG.PRIORITY) !== 0) {
    if (start + 5 <= payload.length && dependsOn(payload, start) === streamId) {
      throw new ConnectionError(ERROR.PROTOCOL_ERROR, 'a stream depends on itself');
    }
    start += 5;
  }
  if (start > end) throw new ConnectionError(ERROR.PROTOCOL_ERROR, 'HEADERS has more padding than bytes');
  return start === 0 && end === payload.length ? payload : payload.subarray(start, end);
}

/** The stream on which a priority says that another depends; nothing follows from it here. */
export function dependsOn(payload: Buffer, at: number): number {
  return payload.readUInt32BE(at) & 0x7fffffff;
}

/** Test support: the frames of HTTP/2 (RFC 9113, 4.1 and 6) as bytes, right or wrong as asked, and read back. */

export const TYPE = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const FLAG = { endStream: 0x1, ack: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

/** By their codes (RFC 9113, 7). */
export const ERROR_NAMES = [
  ...['NO_ERROR', 'PROTOCOL_ERROR', 'INTERNAL_ERROR', 'FLOW_CONTROL_ERROR', 'SETTINGS_TIMEOUT'],
  ...['STREAM_CLOSED', 'FRAME_SIZE_ERROR', 'REFUSED_STREAM', 'CANCEL', 'COMPRESSION_ERROR', 'CONNECT_ERROR'],
  ...['ENHANCE_YOUR_CALM', 'INADEQUATE_SECURITY', 'HTTP_1_1_REQUIRED'],
];

export const SETTING = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** What a window holds that nothing was said of. */
export const DEFAULT_WINDOW = 65_535;

/** The longest payload that everybody takes. */
export const MAX_FRAME_BYTES = 16_384;

const EMPTY = new Uint8Array(0);
const HEADER_BYTES = 9;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** @param length what is said of the payload's length. Default: the truth */
export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array = EMPTY,
  length = payload.length,
): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + payload.length);
  bytes.writeUIntBE(length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(streamId, 5);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

export function data(streamId: number, payload: Uint8Array, flags = 0): Buffer {
  return frame(TYPE.data, flags, streamId, payload);
}

/** The same in as many frames as it takes; `flags` are the last one's. */
export function dataFrames(streamId: number, payload: Uint8Array, flags = 0): Buffer {
  const frames: Buffer[] = [];
  let at = 0;
  for (; payload.length - at > MAX_FRAME_BYTES; at += MAX_FRAME_BYTES) {
    frames.push(data(streamId, payload.subarray(at, at + MAX_FRAME_BYTES)));
  }
  return Buffer.concat([...frames, data(streamId, payload.subarray(at), flags)]);
}

/** @param flags default: the block is whole, and the stream goes on */
export function headers(streamId: number, block: Uint8Array, flags: number = FLAG.endHeaders): Buffer {
  return frame(TYPE.headers, flags, streamId, block);
}

export function continuation(streamId: number, block: Uint8Array, flags: number = FLAG.endHeaders): Buffer {
  return frame(TYPE.continuation, flags, streamId, block);
}

/** To be sent with `FLAG.padded`. */
export function padded(length: number, payload: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(length), payload, Buffer.alloc(length)]);
}

/** What PRIORITY holds, and HEADERS with `FLAG.priority` before its block. */
export function dependency(streamId: number, weight = 16): Buffer {
  return Buffer.concat([uint32(streamId), Buffer.of(weight - 1)]);
}

export function settings(entries: readonly (readonly [id: number, value: number])[], flags = 0): Buffer {
  const payload = Buffer.alloc(6 * entries.length);
  for (const [at, [id, value]] of entries.entries()) {
    payload.writeUInt16BE(id, 6 * at);
    payload.writeUInt32BE(value, 6 * at + 2);
  }
  return frame(TYPE.settings, flags, 0, payload);
}

export function ping(payload: string, flags = 0): Buffer {
  return frame(TYPE.ping, flags, 0, Buffer.from(payload.padEnd(8), 'latin1'));
}

export function rstStream(streamId: number, code: number): Buffer {
  return frame(TYPE.rstStream, 0, streamId, uint32(code));
}

export function goaway(lastStreamId: number, code: number): Buffer {
  return frame(TYPE.goaway, 0, 0, Buffer.concat([uint32(lastStreamId), uint32(code)]));
}

export function windowUpdate(streamId: number, increment: number): Buffer {
  return frame(TYPE.windowUpdate, 0, streamId, uint32(increment));
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Takes frames out of bytes that come in pieces. */
export function createFrameSplitter(onFrame: (frame: Frame) => void): (piece: Buffer) => void {
  let kept: Buffer = Buffer.alloc(0);
  return (piece) => {
    let bytes = kept.length === 0 ? piece : Buffer.concat([kept, piece]);
    for (;;) {
      const end =
        bytes.length < HEADER_BYTES ? Number.POSITIVE_INFINITY : HEADER_BYTES + bytes.readUIntBE(0, 3);
      if (bytes.length < end) break;
      onFrame({
        type: bytes[3] as number,
        flags: bytes[4] as number,
        streamId: bytes.readUInt32BE(5) & 0x7fff_ffff,
        payload: bytes.subarray(HEADER_BYTES, end),
      });
      bytes = bytes.subarray(end);
    }
    kept = bytes;
  };
}

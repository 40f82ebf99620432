import { NimifyError } from '../../base/errors/nimify-error.ts';

/**
 * The frames between nimify and a child process, as docs/engine-protocol.md has them for everybody:
 *
 *     0     3     4        8            12       16
 *     +-----+-----+--------+------------+--------+------ - - -+---------- - - -+
 *     | NIM |kind | length | jsonLength |   id   |    JSON    |  binary data   |
 *     +-----+-----+--------+------------+--------+------ - - -+---------- - - -+
 *                                                |<-------- length ---------->|
 *
 * All numbers are unsigned and little-endian. JSON and binary data are a message of the Open Inference Protocol.
 */
export const PROTOCOL_VERSION = 1;
export const HEAD_BYTES = 16;
/** Longest JSON and binary data of one frame together. */
export const MAX_MESSAGE_BYTES = 2 ** 30;
/** Longest JSON of one frame: elements travel as binary data, so it is short. */
export const MAX_JSON_BYTES = 2 ** 20;
/** Run ids are 1 to this; 0 stands for none. */
export const MAX_RUN_ID = 2 ** 32 - 1;

const KINDS = ['hello', 'run', 'result', 'error', 'ping', 'pong', 'drain', 'bye'] as const;
export type FrameKind = (typeof KINDS)[number];

export interface Frame {
  readonly kind: FrameKind;
  readonly id: number;
  readonly jsonLength: number;
  /** JSON, then binary data, in a buffer of their own that starts 8-aligned. */
  readonly body: Uint8Array;
}

export interface FrameReader {
  /** Takes what came, in pieces of any size. @throws NimifyError ENGINE_FAILED where it is no frame */
  push(chunk: Uint8Array): void;
  /** True where the bytes so far end in the middle of a frame. */
  readonly isWithinFrame: boolean;
}

/** Splits a stream of bytes into frames; each frame's body is copied once, into a buffer of its size. */
export function createFrameReader(onFrame: (frame: Frame) => void): FrameReader {
  const head = new Uint8Array(HEAD_BYTES);
  const numbers = new DataView(head.buffer);
  let headFilled = 0;
  let body: Uint8Array | undefined;
  let bodyFilled = 0;

  function startBody(): void {
    checkHead(head);
    const length = numbers.getUint32(4, true);
    const jsonLength = numbers.getUint32(8, true);
    if (length > MAX_MESSAGE_BYTES || jsonLength > Math.min(length, MAX_JSON_BYTES)) {
      throw breach(
        `a frame of at most ${MAX_MESSAGE_BYTES} bytes with at most ${MAX_JSON_BYTES} of JSON within`,
        `${length} with ${jsonLength}`,
      );
    }
    body = allocate(length);
    bodyFilled = 0;
  }

  function finish(whole: Uint8Array): void {
    const kind = KINDS[head[3]! - 1]!;
    const frame = {
      kind,
      id: numbers.getUint32(12, true),
      jsonLength: numbers.getUint32(8, true),
      body: whole,
    };
    headFilled = 0;
    body = undefined;
    onFrame(frame);
  }

  return {
    push(chunk) {
      let at = 0;
      while (at < chunk.length) {
        if (body === undefined) {
          const part = chunk.subarray(at, at + HEAD_BYTES - headFilled);
          head.set(part, headFilled);
          headFilled += part.length;
          at += part.length;
          if (headFilled < HEAD_BYTES) {
            checkHead(head.subarray(0, headFilled));
            return;
          }
          startBody();
        }
        const part = chunk.subarray(at, at + body!.length - bodyFilled);
        body!.set(part, bodyFilled);
        bodyFilled += part.length;
        at += part.length;
        if (bodyFilled === body!.length) finish(body!);
      }
    },
    get isWithinFrame() {
      return headFilled > 0;
    },
  };
}

const MAGIC = [0x4e, 0x49, 0x4d]; // NIM

/** As many bytes of a head as have come: text that a program prints by mistake is found at its first letter. */
function checkHead(head: Uint8Array): void {
  const isMagic = MAGIC.every((byte, at) => at >= head.length || head[at] === byte);
  const kind = head[3] ?? 1;
  if (isMagic && kind >= 1 && kind <= KINDS.length) return;
  const hex = Buffer.from(head).toString('hex');
  const text = Buffer.from(head)
    .toString('latin1')
    .replace(/[^ -~]/g, '.');
  throw breach(`a frame, which starts with 'NIM' and a kind of 1 to ${KINDS.length}`, `${hex} ('${text}')`);
}

/** Not zeroed: every byte is overwritten before anybody sees it. */
function allocate(length: number): Uint8Array {
  try {
    const { buffer } = Buffer.allocUnsafeSlow(length);
    return new Uint8Array(buffer, 0, length);
  } catch (cause) {
    const message = `The engine's process sends ${length} bytes at once, for which there is no memory; send fewer rows at a time`;
    throw new NimifyError('ENGINE_FAILED', message, { cause });
  }
}

/** Below it, one joined write costs less than several buffers in one call. */
const JOIN_BELOW_BYTES = 16 * 1024;

/**
 * A frame as chunks to be written one after the other. The JSON is the first of `parts`; it is filled up with
 * spaces, so that binary data behind it starts 8-aligned. The other parts are passed on without a copy.
 * @throws NimifyError PAYLOAD_TOO_LARGE
 */
export function encodeFrame(
  kind: FrameKind,
  id: number,
  parts: readonly Uint8Array[] = [],
): readonly Uint8Array[] {
  const [json = new Uint8Array(0), ...sections] = parts;
  const jsonLength = sections.length === 0 ? json.length : Math.ceil(json.length / 8) * 8;
  let length = jsonLength;
  for (const section of sections) length += section.length;
  if (length > MAX_MESSAGE_BYTES || jsonLength > MAX_JSON_BYTES) {
    throw new NimifyError(
      'PAYLOAD_TOO_LARGE',
      `A message of ${length} bytes (${jsonLength} of them JSON) is more than a process takes at once; at most ` +
        `${MAX_MESSAGE_BYTES} bytes (${MAX_JSON_BYTES} of JSON) are possible, send fewer rows at a time`,
    );
  }
  const joined = HEAD_BYTES + length <= JOIN_BELOW_BYTES;
  const first = Buffer.allocUnsafe(HEAD_BYTES + (joined ? length : jsonLength));
  first.set(MAGIC);
  first[3] = KINDS.indexOf(kind) + 1;
  first.writeUInt32LE(length, 4);
  first.writeUInt32LE(jsonLength, 8);
  first.writeUInt32LE(id, 12);
  first.set(json, HEAD_BYTES);
  first.fill(0x20, HEAD_BYTES + json.length, HEAD_BYTES + jsonLength);
  if (!joined) return [first, ...sections];
  let at = HEAD_BYTES + jsonLength;
  for (const section of sections) {
    first.set(section, at);
    at += section.length;
  }
  return [first];
}

/** The other side does not speak the protocol. */
export function breach(expected: string, got: string): NimifyError {
  return new NimifyError(
    'ENGINE_FAILED',
    `The engine's process broke the protocol: expected ${expected}, got ${got}; see docs/engine-protocol.md`,
    { details: { expected, got } },
  );
}

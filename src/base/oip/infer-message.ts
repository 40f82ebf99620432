import { mismatchError } from './json-error.ts';
import { MAX_ENTRIES } from './json-object.ts';

/** A ModelInferRequest or ModelInferResponse as it came: protobuf, of which the large parts may lie elsewhere. */
export interface InferMessage {
  readonly bytes: Uint8Array;
  /** The raw contents that were taken out of the bytes, in their order. */
  readonly rawContents?: readonly Uint8Array[];
}

/** Gathers a message that comes in pieces. */
export interface InferMessageSink {
  push(piece: Uint8Array): void;
  /** What was pushed. @throws NimifyError INVALID_INPUT where it is no whole message */
  take(): InferMessage;
}

/** Number of the field with the raw contents, in a ModelInferRequest and a ModelInferResponse. */
export const RAW_INPUT_CONTENTS = 7;
export const RAW_OUTPUT_CONTENTS = 6;

const SMALLEST_BYTES = 1024;

/** What comes next: a tag, a number, a length, bytes to keep, bytes of raw contents; or nothing that can be read. */
type State = 'tag' | 'number' | 'length' | 'rawLength' | 'bytes' | 'raw' | 'damaged';

/**
 * Takes raw contents out of a message while it arrives, each into a buffer of its own: that is the one copy which
 * their bytes ever see, and elements in it are aligned, wherever in the message they stood. All other bytes are kept
 * together, for the decoder.
 *
 * @param limitBytes what the message may have at most; a length beyond it is not believed
 * @param allocate gives memory of exactly that many bytes, 8-aligned; what it throws, `push` throws
 * @param rawField number of the field with the raw contents
 */
export function createInferMessageSink(
  limitBytes: number,
  allocate: (byteLength: number) => Uint8Array = allocateOwn,
  rawField: number = RAW_INPUT_CONTENTS,
): InferMessageSink {
  const rawTag = (rawField << 3) | 2;
  let head = new Uint8Array(0);
  let headLength = 0;
  let state: State = 'tag';
  /** Of the number being read: its bits so far, and how many. */
  let value = 0;
  let shift = 0;
  /** Where in the head the field being read began. */
  let fieldStart = 0;
  let groupDepth = 0;
  /** Bytes that are still to come of `bytes` or `raw`. */
  let left = 0;
  let taken = 0;
  let raw: Uint8Array = new Uint8Array(0);
  const rawContents: Uint8Array[] = [];

  function makeRoom(length: number): void {
    const needed = headLength + length;
    if (needed <= head.length) return;
    const larger = new Uint8Array(Math.max(needed, Math.min(head.length * 2, limitBytes), SMALLEST_BYTES));
    larger.set(head.subarray(0, headLength));
    head = larger;
  }

  function keep(piece: Uint8Array): void {
    makeRoom(piece.length);
    head.set(piece, headLength);
    headLength += piece.length;
  }

  function expect(next: State): State {
    value = 0;
    shift = 0;
    if (next === 'tag') fieldStart = headLength;
    return next;
  }

  /** A tag, number or length is complete in `value`. `consumed`: bytes of the message so far. */
  function onNumber(consumed: number): State {
    if (state === 'number') return expect('tag');
    if (state === 'tag') return onTag(value);
    if (value > limitBytes - consumed) return 'damaged';
    left = value;
    if (state === 'length') return left === 0 ? expect('tag') : 'bytes';
    if (rawContents.length === MAX_ENTRIES) return 'damaged';
    headLength = fieldStart;
    raw = allocate(left);
    rawContents.push(raw);
    return left === 0 ? expect('tag') : 'raw';
  }

  function onTag(tag: number): State {
    if (tag === rawTag && groupDepth === 0) return expect('rawLength');
    switch (tag & 7) {
      case 0:
        return expect('number');
      case 1:
        left = 8;
        return 'bytes';
      case 2:
        return expect('length');
      case 3:
        groupDepth += 1;
        return expect('tag');
      case 4:
        groupDepth -= 1;
        return groupDepth < 0 ? 'damaged' : expect('tag');
      case 5:
        left = 4;
        return 'bytes';
      default:
        return 'damaged';
    }
  }

  return {
    push(piece) {
      let at = 0;
      while (at < piece.length && state !== 'damaged') {
        if (state === 'bytes' || state === 'raw') {
          const part = piece.subarray(at, at + left);
          if (state === 'bytes') keep(part);
          else raw.set(part, raw.length - left);
          at += part.length;
          left -= part.length;
          if (left === 0) state = expect('tag');
          continue;
        }
        const byte = piece[at]!;
        makeRoom(1);
        head[headLength] = byte;
        headLength += 1;
        at += 1;
        value += (byte & 0x7f) * 2 ** shift;
        shift += 7;
        if (byte < 0x80) state = onNumber(taken + at);
        else if (shift === 70) state = 'damaged';
      }
      taken += piece.length;
    },
    take() {
      if (state !== 'tag' || shift > 0 || groupDepth > 0) {
        throw mismatchError(
          'message',
          rawField === RAW_INPUT_CONTENTS
            ? `a whole ModelInferRequest with at most ${MAX_ENTRIES} raw_input_contents`
            : `a whole ModelInferResponse with at most ${MAX_ENTRIES} raw_output_contents`,
          'bytes that are none',
        );
      }
      return { bytes: head.subarray(0, headLength), rawContents };
    },
  };
}

/** A buffer of its own, never a part of Node's shared pool: a host may hand it to another thread. Not zeroed. */
export function allocateOwn(byteLength: number): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(byteLength).buffer);
}

import { NimifyError } from '../../base/errors/nimify-error.ts';
import { type AllocateRaw, createFrameReader, type Frame } from '../../base/oip/grpc-frame.ts';
import type { InferMessage } from '../../base/oip/infer-message.ts';
import type { MemoryClaim } from '../memory-claims.ts';
import { type Call, claimMessage, openFrame, takeClaim } from './call.ts';
import { copyFrame } from './copy-frame.ts';

export interface ReceivedMessage {
  readonly message: InferMessage;
  readonly isOwn: boolean;
  /** To be released when the message is no longer needed. */
  readonly claim: MemoryClaim | undefined;
}

/** One that has come. */
interface Arrived {
  readonly frame: Frame;
  readonly claim: MemoryClaim | undefined;
}

/** The messages of a call that may have several, one after the other. */
export interface Inbox {
  /**
   * The next message; undefined when the client has sent its last, or is gone. While nobody asks nothing is read:
   * HTTP/2's flow control then stops the client.
   * @throws NimifyError what is wrong with the message, or why the call ends: it is over then
   */
  next(): Promise<ReceivedMessage | undefined>;
}

/** @param allocateRaw memory for the raw contents of ModelInferRequests; undefined: the messages are others */
export function createInbox(call: Call, allocateRaw: AllocateRaw | undefined): Inbox {
  const { stream, deps } = call;
  /** More than one only where one piece of data held more than one. */
  const frames: Arrived[] = [];
  let failure: NimifyError | undefined;
  let isOver = false;
  let wake: (() => void) | undefined;

  const reader = createFrameReader({
    maxMessageBytes: deps.options.maxReceiveMessageBytes,
    allocateRaw,
    // Pieces are valid only while they are pushed.
    onBegin: (byteLength) => claimMessage(call, byteLength),
    onFrame: (frame) =>
      frames.push({ frame: frame.isOwn ? frame : copyFrame(frame), claim: takeClaim(call) }),
  });

  function stop(error?: NimifyError): void {
    failure ??= error;
    isOver = true;
    takeClaim(call)?.release();
    wake?.();
  }

  function take(piece: Uint8Array): void {
    if (isOver) return;
    try {
      const coming = call.claim;
      reader.push(piece);
      (call.claim ?? coming)?.arrived(piece.length);
    } catch (refused) {
      stop(refused as NimifyError);
      return;
    }
    if (frames.length > 0) {
      stream.pause();
      wake?.();
    } else call.waitingSinceNs ??= deps.clock.nowNs();
  }

  call.onClose = stop;
  call.onStall = stop;
  call.onDrain = stop;
  stream.listen(take, () => stop(reader.isWithin ? cutOff() : undefined));

  return {
    async next() {
      if (frames.length === 0 && !isOver) {
        call.waitingSinceNs = reader.isWithin ? deps.clock.nowNs() : undefined;
        await new Promise<void>((resolve) => {
          wake = resolve;
          stream.resume();
        });
        wake = undefined;
        call.waitingSinceNs = undefined;
      }
      const arrived = frames.shift();
      if (arrived === undefined) {
        if (failure !== undefined) throw failure;
        return undefined;
      }
      const { isOwn, isCompressed } = arrived.frame;
      // What it grows to is claimed with it.
      call.claim = arrived.claim;
      const message = await openFrame(call, arrived.frame, allocateRaw);
      return { message, isOwn: isOwn || isCompressed, claim: takeClaim(call) };
    },
  };
}

function cutOff(): NimifyError {
  return new NimifyError(
    'INVALID_INPUT',
    'message: expected all of it before the end of the stream, got a part',
    {
      details: { where: 'message' },
    },
  );
}

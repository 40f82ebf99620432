import { NimifyError } from '../../base/errors/nimify-error.ts';
import { type AllocateRaw, createFrameReader, type Frame } from '../../base/oip/grpc-frame.ts';
import type { InferMessage } from '../../base/oip/infer-message.ts';
import { type Call, openFrame } from './call.ts';
import { copyFrame } from './copy-frame.ts';

export interface ReceivedMessage {
  readonly message: InferMessage;
  readonly isOwn: boolean;
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
  const frames: Frame[] = [];
  let failure: NimifyError | undefined;
  let isOver = false;
  let wake: (() => void) | undefined;

  const reader = createFrameReader({
    maxMessageBytes: deps.options.maxReceiveMessageBytes,
    allocateRaw,
    // Pieces are valid only while they are pushed.
    onFrame: (frame) => frames.push(frame.isOwn ? frame : copyFrame(frame)),
  });

  function stop(error?: NimifyError): void {
    failure ??= error;
    isOver = true;
    wake?.();
  }

  function take(piece: Uint8Array): void {
    if (isOver) return;
    try {
      reader.push(piece);
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
      const frame = frames.shift();
      if (frame === undefined) {
        if (failure !== undefined) throw failure;
        return undefined;
      }
      const { isOwn, isCompressed } = frame;
      return { message: await openFrame(call, frame, allocateRaw), isOwn: isOwn || isCompressed };
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

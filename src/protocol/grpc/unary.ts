import { NimifyError, toNimifyError } from '../../base/errors/nimify-error.ts';
import {
  type AllocateRaw,
  createFrameReader,
  type Frame,
  type FrameReader,
  wholeFrame,
} from '../../base/oip/grpc-frame.ts';
import type { InferMessage } from '../../base/oip/infer-message.ts';
import type { MemoryClaim } from '../memory-claims.ts';
import { type Call, claimMessage, openFrame, takeClaim } from './call.ts';
import { copyFrame } from './copy-frame.ts';

/**
 * The one message of a unary call. `isOwn`: its buffers belong to nobody else. `claim`: to be released when they are no
 * longer needed.
 */
export type UseMessage = (message: InferMessage, isOwn: boolean, claim: MemoryClaim | undefined) => void;

/**
 * Receives the one message of a unary call; exactly one of the two is called, once, unless the client leaves.
 *
 * @param allocateRaw memory for the raw contents of a ModelInferRequest; undefined: the message is another
 */
export function receiveOnly(
  call: Call,
  allocateRaw: AllocateRaw | undefined,
  use: UseMessage,
  refuse: (error: NimifyError) => void,
): void {
  const { stream } = call;
  const { maxReceiveMessageBytes: maxMessageBytes } = call.deps.options;
  let frame: Frame | undefined;
  let reader: FrameReader | undefined;
  let isSettled = false;

  function settle(): boolean {
    const isFirst = !isSettled;
    isSettled = true;
    call.waitingSinceNs = undefined;
    return isFirst;
  }

  function fail(thrown: unknown): void {
    takeClaim(call)?.release();
    if (settle()) refuse(toNimifyError(thrown));
  }

  function onFrame(next: Frame): void {
    if (frame !== undefined) throw notOne('more');
    // Pieces are valid only while they are pushed.
    frame = next.isOwn ? next : copyFrame(next);
  }

  const onBegin = (byteLength: number) => claimMessage(call, byteLength);

  function take(piece: Uint8Array): void {
    if (isSettled) return;
    try {
      if (reader === undefined && frame === undefined) {
        const whole = wholeFrame(piece, maxMessageBytes);
        if (whole !== undefined) {
          onFrame(whole);
          return;
        }
      }
      reader ??= createFrameReader({ maxMessageBytes, allocateRaw, onBegin, onFrame });
      reader.push(piece);
      call.claim?.arrived(piece.length);
    } catch (refused) {
      fail(refused);
    }
  }

  function onEnd(): void {
    if (isSettled) return;
    call.waitingSinceNs = undefined;
    if (frame === undefined || reader?.isWithin === true) {
      fail(notOne(reader?.isWithin === true ? 'a part of one' : 'none'));
      return;
    }
    try {
      const { isOwn, isCompressed } = frame;
      const message = openFrame(call, frame, allocateRaw);
      if (!(message instanceof Promise)) {
        if (settle()) use(message, isOwn, takeClaim(call));
      } else message.then((opened) => settle() && use(opened, isCompressed, takeClaim(call)), fail);
    } catch (refused) {
      fail(refused);
    }
  }

  call.onStall = fail;
  stream.listen(take, onEnd);
}

/** gRPC's status codes have UNIMPLEMENTED for this (grpc, doc/statuscodes.md). */
function notOne(got: string): NimifyError {
  return new NimifyError('UNSUPPORTED', `request: expected exactly one message, got ${got}`, {
    details: { where: 'request', expected: 'one message', got },
  });
}

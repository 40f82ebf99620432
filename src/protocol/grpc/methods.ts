import type { DescMessage, DescMethod, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { toNimifyError } from '../../base/errors/nimify-error.ts';
import { checkSendSize } from '../../base/oip/grpc-frame.ts';
import { logFault } from '../tally.ts';
import { type Call, failCall, sendOnly } from './call.ts';
import { readMessage, writeMessage } from './messages.ts';
import { receiveOnly } from './unary.ts';

/** Answers one call. Never throws. */
export type Serve = (call: Call) => void;

/** The path by which a method is called. */
export function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

/**
 * A method with one message each way, in the generated code's messages. What `answer` throws, or rejects with, ends the
 * call.
 */
export function serveUnary<Input extends DescMessage, Output extends DescMessage>(
  { input, output }: { readonly input: Input; readonly output: Output },
  answer: (request: MessageShape<Input>) => MessageInitShape<Output> | Promise<MessageInitShape<Output>>,
): Serve {
  return (call) =>
    receiveOnly(
      call,
      undefined,
      async ({ bytes }, _isOwn, claim) => {
        // It is read within this turn.
        claim?.release();
        try {
          const message = writeMessage(output, await answer(readMessage(input, bytes)));
          checkSendSize(message.byteLength, call.deps.options.maxSendMessageBytes);
          sendOnly(call, message);
        } catch (thrown) {
          fail(call, thrown);
        }
      },
      (error) => fail(call, error),
    );
}

/** Ends a call with what was thrown; a fault of ours goes to the log with its cause. */
export function fail(call: Call, thrown: unknown): void {
  if (call.hasLeft) return;
  const error = toNimifyError(thrown);
  logFault(call.deps, error, call.requestId, call.headers[':path'] ?? '');
  failCall(call, error);
}

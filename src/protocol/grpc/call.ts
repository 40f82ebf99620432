import { type NimifyError, toNimifyError } from '../../base/errors/nimify-error.ts';
import type { EncodedInferMessage } from '../../base/oip/encode-protobuf.ts';
import { type AllocateRaw, type Frame, writeFrameHeader } from '../../base/oip/grpc-frame.ts';
import type { InferMessage } from '../../base/oip/infer-message.ts';
import { type CancelSource, type CancelToken, createCancelSource } from '../../base/util/cancel.ts';
import { FALLBACK_HEADER, fallbackText } from '../fallback-name.ts';
import { type MemoryClaim, SMALLEST_CLAIM_BYTES } from '../memory-claims.ts';
import { requestIdOf } from '../request-id.ts';
import {
  ACCEPTED_CODINGS,
  answerCodingOf,
  COMPRESS_FROM_BYTES,
  type Coding,
  codingOf,
  compress,
  decompress,
} from './coding.ts';
import type { Connection } from './connection.ts';
import type { CallDeps } from './deps.ts';
import { ERROR } from './http2/constants.ts';
import { OK_HEAD } from './http2/hpack-encoder.ts';
import type { Headers } from './http2/request-headers.ts';
import type { ServerStream } from './http2/stream.ts';
import { timeoutNsOf } from './metadata.ts';
import { errorTrailers } from './status.ts';

/**
 * One gRPC call: an HTTP/2 stream, and what its head said. A class with few listeners, since there is one for each
 * request: to listen to a stream costs more than most of what is then heard.
 */
export class Call {
  readonly stream: ServerStream;
  readonly headers: Headers;
  readonly requestId: string;
  /** When the head had come, on the clock's monotonic time. */
  readonly arrivedAtNs: number;
  /** By `grpc-timeout`, on the clock's monotonic time; undefined where the client set none. */
  readonly deadlineAtNs: number | undefined;
  /** Of the client's messages. */
  readonly coding: Coding;
  readonly connection: Pick<Connection, 'noteTraffic' | 'probe'>;
  readonly deps: CallDeps;
  /** Since when the rest of a message has been waited for; undefined: nothing is. */
  waitingSinceNs: number | undefined;
  /** Since when the client has taken nothing of what is to be sent; undefined: there is nothing. */
  sendingSinceNs: number | undefined;
  /** Called where the rest of a message does not come. */
  onStall: (error: NimifyError) => void = (error) => failCall(this, error);
  /** Called where the server ends: calls that end by themselves need not care, others end as soon as nothing runs. */
  onDrain: ((error: NimifyError) => void) | undefined;
  /** Called once when the stream has closed, whoever closed it. */
  onClose: (() => void) | undefined;
  /** Who answered instead of the model, for the head of the answer; mostly nobody. */
  fallback: string | undefined;
  /** Memory of the message that comes; whoever answers it takes it over. */
  claim: MemoryClaim | undefined;
  /** Where it is among the open calls; the list's own. */
  listIndex = -1;
  #cancel: CancelSource | undefined;

  /** @throws NimifyError INVALID_INPUT, UNSUPPORTED: what the head says */
  constructor(stream: ServerStream, connection: Call['connection'], deps: CallDeps) {
    const { headers } = stream;
    const timeoutNs = timeoutNsOf(headers['grpc-timeout']);
    this.stream = stream;
    this.headers = headers;
    this.requestId = requestIdOf({ headers });
    this.arrivedAtNs = deps.clock.nowNs();
    this.deadlineAtNs = timeoutNs === undefined ? undefined : this.arrivedAtNs + timeoutNs;
    this.coding = codingOf(headers['grpc-encoding']);
    this.connection = connection;
    this.deps = deps;
    this.waitingSinceNs = this.arrivedAtNs;
    this.sendingSinceNs = undefined;
    this.onDrain = undefined;
    this.onClose = undefined;
    this.fallback = undefined;
    this.claim = undefined;
  }

  /**
   * Cancelled when the client leaves or resets the stream before the call has ended. Made when it is first asked
   * for: most small requests are answered before anybody could leave.
   */
  get cancel(): CancelToken {
    if (this.#cancel === undefined) {
      this.#cancel = createCancelSource();
      if (this.hasLeft) this.#cancel.cancel('client-left');
    }
    return this.#cancel;
  }

  /** Is nobody there any more to whom anything could be sent? */
  get hasLeft(): boolean {
    return this.stream.isClosed;
  }

  /** To be called when the stream has closed. */
  close(): void {
    this.#cancel?.cancel('client-left');
    this.claim?.release();
    this.onClose?.();
  }
}

/** Room for a message of which the first piece is there. @throws NimifyError as `MemoryRoom.claim` */
export function claimMessage(call: Call, byteLength: number): void {
  const { memoryRoom } = call.deps;
  if (byteLength < SMALLEST_CLAIM_BYTES) memoryRoom.checkShort('message');
  else
    call.claim = memoryRoom.claim(byteLength, { where: 'message', onRevoke: (error) => call.onStall(error) });
}

/** Gives the claim on the call's message to who answers it. */
export function takeClaim(call: Call): MemoryClaim | undefined {
  const { claim } = call;
  claim?.complete();
  call.claim = undefined;
  return claim;
}

/** The message in a frame, decompressed where it must be. */
export function openFrame(
  call: Call,
  frame: Frame,
  allocateRaw: AllocateRaw | undefined,
): InferMessage | Promise<InferMessage> {
  if (!frame.isCompressed) return frame.message;
  const { options, memoryRoom } = call.deps;
  call.claim ??= memoryRoom.claim(0, { where: 'message' });
  const { claim } = call;
  function onGrow(bytes: number): void {
    claim.grow(bytes);
    claim.arrived(bytes);
  }
  const { maxReceiveMessageBytes: maxMessageBytes } = options;
  return decompress(frame.message.bytes, call.coding, { maxMessageBytes, allocateRaw, onGrow });
}

/** The answer's head. To be called once; `coding` is what messages may then be compressed with. */
export function respond({ stream, headers, requestId, fallback }: Call, coding: Coding): void {
  const isEchoed = headers['x-request-id'] === requestId;
  if (coding === 'identity' && !isEchoed && fallback === undefined) {
    stream.respond();
    return;
  }
  stream.respond({
    ...OK_HEAD,
    ...(coding === 'identity' ? {} : { 'grpc-encoding': coding }),
    ...(isEchoed ? { 'x-request-id': requestId } : {}),
    ...(fallback === undefined ? {} : { [FALLBACK_HEADER]: fallbackText(fallback) }),
  });
}

/**
 * The answer to a unary call: head, one message, trailers.
 *
 * @param release called when the message's chunks are no longer needed
 */
export function sendOnly(call: Call, message: EncodedInferMessage, release?: () => void): void {
  const coding = answerCodingOf(call.coding, call.headers['grpc-accept-encoding']);
  if (coding === 'identity' || message.byteLength < COMPRESS_FROM_BYTES) {
    finish(call, message, 'identity', release);
    return;
  }
  compress(message, coding)
    .finally(release)
    .then((compressed) => finish(call, compressed, coding))
    .catch((failed: unknown) => failCall(call, toNimifyError(failed)));
}

function finish(call: Call, message: EncodedInferMessage, coding: Coding, release?: () => void): void {
  if (call.hasLeft) {
    release?.();
    return;
  }
  const { stream } = call;
  writeFrameHeader(message.chunks[0] as Uint8Array, message.byteLength, coding !== 'identity');
  respond(call, coding);
  noteSending(call);
  stream.write(message.chunks, release);
  stream.end();
}

/** One of several answers. Resolves when the client has taken it, or will take nothing any more. */
export async function sendOne(call: Call, message: EncodedInferMessage, coding: Coding): Promise<void> {
  const isCompressed = coding !== 'identity' && message.byteLength >= COMPRESS_FROM_BYTES;
  const { chunks, byteLength } = isCompressed ? await compress(message, coding) : message;
  if (call.hasLeft) return;
  writeFrameHeader(chunks[0] as Uint8Array, byteLength, isCompressed);
  noteSending(call);
  await new Promise<void>((resolve) => call.stream.write(chunks, resolve));
  call.sendingSinceNs = undefined;
}

/** From now on the client is expected to take what is sent. */
function noteSending(call: Call): void {
  call.connection.noteTraffic();
  call.sendingSinceNs = call.deps.clock.nowNs();
  call.stream.onProgress ??= () => {
    call.sendingSinceNs = call.deps.clock.nowNs();
  };
}

/** Ends the call with an error, as trailers alone where nothing has been answered yet. */
export function failCall(call: Call, error: NimifyError): void {
  refuseStream(call.stream, error, call.requestId);
}

/** The same where there is no call: its head was wrong. Once an answer's head is out only a reset tells the client. */
export function refuseStream(stream: ServerStream, error: NimifyError, requestId: string): void {
  if (stream.hasHead) stream.reset(ERROR.INTERNAL_ERROR);
  else
    stream.respondOnly({
      ...OK_HEAD,
      'grpc-accept-encoding': ACCEPTED_CODINGS,
      ...errorTrailers(error, requestId),
    });
}

import {
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { type NimifyError, toNimifyError } from '../../base/errors/nimify-error.ts';
import type { EncodedInferMessage } from '../../base/oip/encode-protobuf.ts';
import { type AllocateRaw, type Frame, writeFrameHeader } from '../../base/oip/grpc-frame.ts';
import type { InferMessage } from '../../base/oip/infer-message.ts';
import { type CancelSource, type CancelToken, createCancelSource } from '../../base/util/cancel.ts';
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
import { timeoutNsOf } from './metadata.ts';
import { endWith, sendOkTrailers } from './quick-stream.ts';
import { errorTrailers } from './status.ts';
import { writePieces } from './write-pieces.ts';

/**
 * One gRPC call: an HTTP/2 stream, and what its head said. A class with few listeners, since there is one for each
 * request: to listen to a stream costs more than most of what is then heard.
 */
export class Call {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly requestId: string;
  /** When the head had come, on the clock's monotonic time. */
  readonly arrivedAtNs: number;
  /** By `grpc-timeout`, on the clock's monotonic time; undefined where the client set none. */
  readonly deadlineAtNs: number | undefined;
  /** Of the client's messages. */
  readonly coding: Coding;
  readonly connection: Pick<Connection, 'noteTraffic'>;
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
  /** Where it is among the open calls; the list's own. */
  listIndex = -1;
  #cancel: CancelSource | undefined;

  /** @throws NimifyError INVALID_INPUT, UNSUPPORTED: what the head says */
  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    connection: Call['connection'],
    deps: CallDeps,
  ) {
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
    return this.stream.destroyed || this.stream.closed;
  }

  /** From now on the client is expected to take what is sent. */
  noteSending(): void {
    this.sendingSinceNs = this.deps.clock.nowNs();
    this.connection.noteTraffic();
  }

  /** To be called when the stream has closed. */
  close(): void {
    this.#cancel?.cancel('client-left');
    this.onClose?.();
    // Closed streams may outlive many collections of young garbage, and would keep alive what these hold.
    this.onClose = undefined;
    this.onDrain = undefined;
    this.onStall = ignore;
  }
}

function ignore(): void {}

/** The message in a frame, decompressed where it must be. */
export function openFrame(
  call: Call,
  frame: Frame,
  allocateRaw: AllocateRaw | undefined,
): InferMessage | Promise<InferMessage> {
  if (!frame.isCompressed) return frame.message;
  const { maxReceiveMessageBytes: maxMessageBytes } = call.deps.options;
  return decompress(frame.message.bytes, call.coding, { maxMessageBytes, allocateRaw });
}

/** Node copies both. */
const RESPONSE_HEADERS: OutgoingHttpHeaders = { ':status': 200, 'content-type': 'application/grpc' };
const RESPOND_OPTIONS = { waitForTrailers: true, sendDate: false };

/** The answer's head. To be called once; `coding` is what messages may then be compressed with. */
export function respond(call: Call, coding: Coding, trailers?: () => OutgoingHttpHeaders): void {
  const { stream, headers } = call;
  let head = RESPONSE_HEADERS;
  if (coding !== 'identity') head = { ...head, 'grpc-encoding': coding };
  if (headers['x-request-id'] === call.requestId) head = { ...head, 'x-request-id': call.requestId };
  stream.respond(head, RESPOND_OPTIONS);
  if (trailers === undefined) stream.on('wantTrailers', onWantOkTrailers);
  else {
    stream.on('wantTrailers', () => {
      stream.sendTrailers(trailers());
      letClientStop(stream);
    });
  }
}

function onWantOkTrailers(this: ServerHttp2Stream): void {
  sendOkTrailers(this);
  letClientStop(this);
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
  writeFrameHeader(message.chunks[0] as Uint8Array, message.byteLength, coding !== 'identity');
  respond(call, coding);
  const { chunks, byteLength } = message;
  // What was copied into the first chunk is needed no more, and the others are views of what is to be released.
  if (chunks.length > 1) call.onClose = release;
  else {
    call.onClose = undefined;
    release?.();
  }
  if (chunks.length === 1 && byteLength < SHORT_BYTES) {
    call.noteSending();
    endWith(call.stream, chunks[0] as Uint8Array);
  } else writePieces(call, chunks, true);
}

/** An answer up to this long is written in one piece, whether or not the client takes it now. */
const SHORT_BYTES = 64 * 1024;

/** One of several answers. Resolves when the client has taken it, or will take nothing any more. */
export async function sendOne(call: Call, message: EncodedInferMessage, coding: Coding): Promise<void> {
  const isCompressed = coding !== 'identity' && message.byteLength >= COMPRESS_FROM_BYTES;
  const { chunks, byteLength } = isCompressed ? await compress(message, coding) : message;
  if (call.hasLeft) return;
  writeFrameHeader(chunks[0] as Uint8Array, byteLength, isCompressed);
  await new Promise<void>((resolve) => {
    call.stream.once('close', resolve);
    writePieces(call, chunks, false, () => {
      call.stream.off('close', resolve);
      resolve();
    });
  });
}

/** Ends the call with an error, as trailers alone where nothing has been answered yet. */
export function failCall(call: Call, error: NimifyError): void {
  refuseStream(call.stream, error, call.requestId);
}

/** The same where there is no call: its head was wrong. Once an answer's head is out only a reset tells the client. */
export function refuseStream(stream: ServerHttp2Stream, error: NimifyError, requestId: string): void {
  if (stream.destroyed || stream.closed) return;
  if (stream.headersSent) {
    stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    return;
  }
  stream.respond(
    { ...RESPONSE_HEADERS, 'grpc-accept-encoding': ACCEPTED_CODINGS, ...errorTrailers(error, requestId) },
    { endStream: true },
  );
  letClientStop(stream);
}

/**
 * After the end of an answer the client need not send the rest of its request: a reset without an error says so
 * (RFC 9113, 8.1), and what still comes is passed over. A turn later, because the reset would overtake trailers, which
 * Node sends then, and on Node 22 the answer's head as well.
 */
export function letClientStop(stream: ServerHttp2Stream): void {
  if (!stream.readableEnded) setImmediate(resetUnread, stream);
}

function resetUnread(stream: ServerHttp2Stream): void {
  if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
}

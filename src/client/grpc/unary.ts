import { type ClientHttp2Session, constants, type IncomingHttpHeaders } from 'node:http2';
import { NimifyError, toNimifyError } from '../../base/errors/nimify-error.ts';
import type { EncodedInferMessage } from '../../base/oip/encode-protobuf.ts';
import { createFrameReader, type Frame, writeFrameHeader } from '../../base/oip/grpc-frame.ts';
import {
  allocateOwn,
  createInferMessageSink,
  type InferMessage,
  RAW_OUTPUT_CONTENTS,
} from '../../base/oip/infer-message.ts';
import type { CallTime } from '../calls.ts';
import { toConnectionError } from '../connection-error.ts';
import { statusOf, toStatusError } from './status-error.ts';
import { toGrpcTimeout } from './timeout.ts';

export interface UnaryRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** With headroom for a frame's header. */
  readonly message: EncodedInferMessage;
}

/** A frame's length has 32 bits. */
const MAX_MESSAGE_BYTES = 2 ** 32 - 1;

/**
 * One attempt at a call with one message each way. The answer's raw contents are in memory of their own.
 *
 * @param url the server's, for messages
 * @throws NimifyError what the server answered; MODEL_NOT_READY where the connection failed; CANCELLED at once when
 *   `time` is over
 */
export function callUnary(
  session: ClientHttp2Session,
  { path, headers, message }: UnaryRequest,
  time: CallTime,
  url: string,
): Promise<InferMessage> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ...headers,
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-timeout': toGrpcTimeout(time.remainingMs()),
    });
    let head: IncomingHttpHeaders | undefined;
    let trailers: IncomingHttpHeaders | undefined;
    let frame: Frame | undefined;
    let broken: unknown;
    const reader = createFrameReader({
      maxMessageBytes: MAX_MESSAGE_BYTES,
      allocateRaw: allocateOwn,
      rawField: RAW_OUTPUT_CONTENTS,
      onFrame(next) {
        if (frame !== undefined) throw notOne('more');
        frame = next;
      },
    });

    function stop(): void {
      stream.close(constants.NGHTTP2_CANCEL);
      reject(new NimifyError('CANCELLED', `the request to ${url} was stopped`));
    }

    stream.on('response', (received) => {
      head = received;
    });
    stream.on('trailers', (received) => {
      trailers = received;
    });
    stream.on('data', (piece: Uint8Array) => {
      if (broken !== undefined) return;
      try {
        reader.push(piece);
      } catch (thrown) {
        broken = thrown;
        stream.close(constants.NGHTTP2_CANCEL);
      }
    });
    stream.on('error', (error) => {
      broken ??= error;
    });
    stream.on('close', () => {
      time.cancel.off(stop);
      try {
        resolve(finish());
      } catch (thrown) {
        reject(thrown);
      }
    });

    function finish(): InferMessage {
      // An answer that is trailers alone has them in its head.
      const end = {
        url: `${url}${path}`,
        httpStatus: Number(head?.[':status'] ?? 0),
        trailers: trailers ?? head ?? {},
      };
      const status = head === undefined ? undefined : statusOf(end);
      if (status !== undefined && status !== 0) throw toStatusError(end, status);
      if (broken instanceof NimifyError) throw notGrpc(url, broken);
      if (status === undefined) {
        if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) {
          throw toConnectionError(broken, url, 'REFUSED_STREAM');
        }
        throw head === undefined || broken !== undefined
          ? toConnectionError(broken ?? new Error('the stream closed'), url)
          : notGrpc(url, notOne('an end without a status'));
      }
      if (frame === undefined || reader.isWithin) throw notGrpc(url, notOne('none'));
      if (frame.isCompressed) throw notGrpc(url, notOne('one in a coding that was not asked for'));
      return frame.isOwn ? frame.message : toOwn(frame.message, url);
    }

    writeFrameHeader(message.chunks[0] as Uint8Array, message.byteLength, false);
    for (const chunk of message.chunks.slice(0, -1)) stream.write(chunk);
    stream.end(message.chunks.at(-1));
    time.cancel.on(stop);
  });
}

/** A message that came in one piece is a view over what the connection read, which it would keep from being freed. */
function toOwn({ bytes }: InferMessage, url: string): InferMessage {
  const sink = createInferMessageSink(bytes.length, allocateOwn, RAW_OUTPUT_CONTENTS);
  try {
    sink.push(bytes);
    return sink.take();
  } catch (thrown) {
    throw notGrpc(url, thrown);
  }
}

function notOne(got: string): NimifyError {
  return new NimifyError('ENGINE_FAILED', `expected one message in answer, got ${got}`);
}

/** What is wrong with an answer is not the caller's fault. */
export function notGrpc(url: string, thrown: unknown): NimifyError {
  return new NimifyError(
    'ENGINE_FAILED',
    `${url} answered something else than the Open Inference Protocol: ${toNimifyError(thrown).message}`,
    { details: { where: url }, cause: thrown },
  );
}

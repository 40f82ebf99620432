import type { NimifyError } from '../../base/errors/nimify-error.ts';
import type { OutgoingHeaders } from './http2/hpack-encoder.ts';

/** Clients may refuse trailers of more than 8 KiB (PROTOCOL-HTTP2.md). */
const LONGEST_MESSAGE = 2048;

/**
 * The one place where an error becomes the trailers of a call: `grpc-status` and `grpc-message`, nimify's own code
 * as `nimify-code`, and when to try again, both as HTTP says it and as gRPC's retries read it (gRFC A6). Causes
 * and stacks stay behind.
 */
export function errorTrailers(error: NimifyError, requestId: string): OutgoingHeaders {
  const trailers: Record<string, string> = {
    'grpc-status': String(error.grpcStatus),
    'grpc-message': percentEncode(error.message),
    'nimify-code': error.code,
    'x-request-id': requestId,
  };
  if (error.retryAfterMs !== undefined) {
    trailers['retry-after'] = String(Math.max(1, Math.ceil(error.retryAfterMs / 1000)));
    trailers['grpc-retry-pushback-ms'] = String(Math.max(1, Math.ceil(error.retryAfterMs)));
  }
  return trailers;
}

/** Everything but printable ASCII, and the percent sign, as UTF-8 in percent-encoding (PROTOCOL-HTTP2.md). */
export function percentEncode(message: string): string {
  const short = message.length <= LONGEST_MESSAGE ? message : `${message.slice(0, LONGEST_MESSAGE - 3)}...`;
  return /^[ -$&-~]*$/.test(short)
    ? short
    : short.replace(/[^ -$&-~]+/gu, (part) =>
        Buffer.from(part).reduce(
          (text, byte) => `${text}%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
          '',
        ),
      );
}

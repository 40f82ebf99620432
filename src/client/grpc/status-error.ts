import { NimifyError } from '../../base/errors/nimify-error.ts';
import { ERROR_TABLE, type ErrorCode } from '../../base/errors/table.ts';

type Headers = Readonly<Record<string, unknown>>;

/** How a call ended: its trailers, or what of the head stands in their place. */
export interface CallEnd {
  /** Where it was sent to, for the message: `grpc://127.0.0.1:8001/inference.GRPCInferenceService/ModelInfer`. */
  readonly url: string;
  readonly httpStatus: number;
  readonly trailers: Headers;
}

/** By google.rpc.Code; where a server says which of our own codes it meant, that one counts. */
const CODE_OF_STATUS: readonly ErrorCode[] = [
  'ENGINE_FAILED', // OK, without a message
  'CANCELLED',
  'ENGINE_FAILED', // UNKNOWN
  'INVALID_INPUT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'CONFLICT', // ALREADY_EXISTS
  'PERMISSION_DENIED',
  'OVERLOADED', // RESOURCE_EXHAUSTED
  'CONFLICT', // FAILED_PRECONDITION
  'CONFLICT', // ABORTED
  'INVALID_INPUT', // OUT_OF_RANGE
  'UNSUPPORTED',
  'ENGINE_FAILED', // INTERNAL
  'MODEL_NOT_READY', // UNAVAILABLE
  'ENGINE_FAILED', // DATA_LOSS
  'UNAUTHENTICATED',
];

/** Answers of proxies that know nothing of gRPC (grpc, doc/http-grpc-status-mapping.md). */
const STATUS_OF_HTTP: ReadonlyMap<number, number> = new Map([
  [400, 13],
  [401, 16],
  [403, 7],
  [404, 12],
  [429, 14],
  [502, 14],
  [503, 14],
  [504, 14],
]);

/** `grpc-status`, or what stands for it; undefined: the answer is none of gRPC. */
export function statusOf({ httpStatus, trailers }: CallEnd): number | undefined {
  const status = trailers['grpc-status'];
  if (typeof status === 'string' && /^\d{1,2}$/.test(status)) return Number(status);
  return httpStatus === 200 ? undefined : (STATUS_OF_HTTP.get(httpStatus) ?? 2);
}

/** The error that a server told of, with the server's own code where it sent one of ours. */
export function toStatusError(end: CallEnd, status: number): NimifyError {
  const { url, httpStatus, trailers } = end;
  const code = trailers['nimify-code'];
  const message = trailers['grpc-message'];
  const requestId = trailers['x-request-id'];
  const pushback = pushbackOf(trailers);
  const text =
    typeof message === 'string' && message !== ''
      ? percentDecode(message)
      : httpStatus === 200
        ? `${url} answered status ${status} without a message`
        : `${url} answered HTTP ${httpStatus} instead of gRPC; is there a proxy between, or another port meant?`;
  return new NimifyError(isErrorCode(code) ? code : (CODE_OF_STATUS[status] ?? 'ENGINE_FAILED'), text, {
    details: {
      grpcStatus: status,
      url,
      ...(typeof requestId === 'string' ? { request_id: requestId } : {}),
      ...(pushback === 'never' ? { mayRetry: false } : {}),
    },
    ...(typeof pushback === 'number' ? { retryAfterMs: pushback } : {}),
  });
}

/**
 * When to come again, in milliseconds: `grpc-retry-pushback-ms` (gRFC A6), in which anything but a number from 0 means
 * never, or `retry-after` in seconds.
 */
function pushbackOf(trailers: Headers): number | 'never' | undefined {
  const pushback = trailers['grpc-retry-pushback-ms'];
  if (pushback !== undefined) return /^\d{1,9}$/.test(String(pushback)) ? Number(pushback) : 'never';
  const retryAfter = trailers['retry-after'];
  return typeof retryAfter === 'string' && /^\d{1,6}$/.test(retryAfter)
    ? Number(retryAfter) * 1000
    : undefined;
}

function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERROR_TABLE, value);
}

/** What is no percent-encoded byte stays as it is (PROTOCOL-HTTP2.md). */
function percentDecode(text: string): string {
  return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (bytes) =>
    Buffer.from(bytes.replaceAll('%', ''), 'hex').toString(),
  );
}

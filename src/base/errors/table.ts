/**
 * The error codes are an interface: clients match on them, dashboards count them. This table is the one
 * place that says what a code means on every surface; docs/errors.md and OpenAPI are held to it by tests.
 */

/** gRPC status codes used here, by their numbers in google.rpc.Code. */
export const GRPC_STATUS = {
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  ABORTED: 10,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;

export type GrpcStatusName = keyof typeof GRPC_STATUS;

export interface ErrorEntry {
  /** HTTP status; undefined where the code can only reach the command line. */
  readonly http?: number;
  readonly grpc?: GrpcStatusName;
  /** Exit code of the command line (sysexits.h where one fits). */
  readonly exit: number;
  /** May the same request succeed when sent again? `after`: once Retry-After has passed. */
  readonly retryable: 'no' | 'yes' | 'after';
  /** One sentence for docs/errors.md. */
  readonly meaning: string;
}

export const ERROR_TABLE = {
  INVALID_INPUT: {
    http: 400,
    grpc: 'INVALID_ARGUMENT',
    exit: 65,
    retryable: 'no',
    meaning:
      'The request does not fit the protocol or the model; the message says where, what was expected and what came.',
  },
  PAYLOAD_TOO_LARGE: {
    http: 413,
    grpc: 'RESOURCE_EXHAUSTED',
    exit: 65,
    retryable: 'no',
    meaning: 'The body is larger than the limit.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    http: 415,
    grpc: 'INVALID_ARGUMENT',
    exit: 65,
    retryable: 'no',
    meaning: 'The content type or content encoding is not one this route reads.',
  },
  METHOD_NOT_ALLOWED: {
    http: 405,
    grpc: 'UNIMPLEMENTED',
    exit: 64,
    retryable: 'no',
    meaning: 'The route exists, but not for this HTTP method.',
  },
  REQUEST_TIMEOUT: {
    http: 408,
    grpc: 'DEADLINE_EXCEEDED',
    exit: 75,
    retryable: 'no',
    meaning: 'The client did not send the whole request in time.',
  },
  CONFLICT: {
    http: 409,
    grpc: 'ABORTED',
    exit: 73,
    retryable: 'no',
    meaning: 'The request contradicts the present state.',
  },
  NOT_FOUND: { http: 404, grpc: 'NOT_FOUND', exit: 66, retryable: 'no', meaning: 'No such route or file.' },
  UNAUTHENTICATED: {
    http: 401,
    grpc: 'UNAUTHENTICATED',
    exit: 77,
    retryable: 'no',
    meaning: 'No credentials, or none that are known.',
  },
  PERMISSION_DENIED: {
    http: 403,
    grpc: 'PERMISSION_DENIED',
    exit: 77,
    retryable: 'no',
    meaning: 'The credentials do not allow this.',
  },
  MODEL_NOT_FOUND: {
    http: 404,
    grpc: 'NOT_FOUND',
    exit: 66,
    retryable: 'no',
    meaning: 'No model or version of that name is served.',
  },
  RATE_LIMITED: {
    http: 429,
    grpc: 'RESOURCE_EXHAUSTED',
    exit: 75,
    retryable: 'after',
    meaning: 'A limit on requests was reached.',
  },
  OVERLOADED: {
    http: 429,
    grpc: 'RESOURCE_EXHAUSTED',
    exit: 75,
    retryable: 'after',
    meaning: 'The queue is full, or the deadline cannot be met.',
  },
  DEADLINE_EXCEEDED: {
    http: 504,
    grpc: 'DEADLINE_EXCEEDED',
    exit: 75,
    retryable: 'no',
    meaning: 'The deadline passed before the answer was there.',
  },
  CANCELLED: {
    http: 499,
    grpc: 'CANCELLED',
    exit: 130,
    retryable: 'no',
    meaning: 'The client left before the answer was there.',
  },
  MODEL_NOT_READY: {
    http: 503,
    grpc: 'UNAVAILABLE',
    exit: 75,
    retryable: 'yes',
    meaning: 'The model is loading, draining or failed.',
  },
  CIRCUIT_OPEN: {
    http: 503,
    grpc: 'UNAVAILABLE',
    exit: 75,
    retryable: 'yes',
    meaning: 'The backend failed too often and is being left alone.',
  },
  STORE_UNAVAILABLE: {
    http: 503,
    grpc: 'UNAVAILABLE',
    exit: 75,
    retryable: 'yes',
    meaning: 'A store the request needs does not answer.',
  },
  ENGINE_FAILED: {
    http: 500,
    grpc: 'INTERNAL',
    exit: 70,
    retryable: 'no',
    meaning: 'The engine refused the model or failed in a run.',
  },
  INTERNAL: { http: 500, grpc: 'INTERNAL', exit: 70, retryable: 'no', meaning: 'A fault of nimify.' },
  ENGINE_CRASHED: {
    http: 503,
    grpc: 'UNAVAILABLE',
    exit: 70,
    retryable: 'yes',
    meaning: 'The engine died while it held the request.',
  },
  UNSUPPORTED: {
    http: 501,
    grpc: 'UNIMPLEMENTED',
    exit: 69,
    retryable: 'no',
    meaning: 'The model or the request needs something that nimify or the engine does not offer.',
  },
  CONFIG_INVALID: { exit: 78, retryable: 'no', meaning: 'A flag, variable or configuration file is wrong.' },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERROR_TABLE;

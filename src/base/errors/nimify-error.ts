import { ERROR_TABLE, type ErrorCode, type ErrorEntry, GRPC_STATUS } from './table.ts';

/** Where a request or file is wrong, for machines; every field is safe to show to a client. */
export interface ErrorDetails {
  /** Path of the offending part, such as `inputs[0].shape`. */
  readonly where?: string;
  readonly expected?: unknown;
  readonly got?: unknown;
  readonly [key: string]: unknown;
}

export interface NimifyErrorOptions {
  readonly details?: ErrorDetails;
  /** Earliest time at which a retry can succeed, in milliseconds from now. */
  readonly retryAfterMs?: number;
  /** The native or third-party error. It goes to the log and never into an answer. */
  readonly cause?: unknown;
}

/**
 * What load and clients bring about: where in the code it was found out tells nobody anything, and to write down the
 * stack takes longer than the rest of a refusal.
 */
const WITHOUT_STACK: ReadonlySet<ErrorCode> = new Set([
  'OVERLOADED',
  'CIRCUIT_OPEN',
  'DEADLINE_EXCEEDED',
  'CANCELLED',
]);

/**
 * The only error class of nimify. Match on `code`; the message is for people and may change. Codes that are nobody's
 * fault come without a stack.
 */
export class NimifyError extends Error {
  override readonly name = 'NimifyError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, options: NimifyErrorOptions = {}) {
    const { stackTraceLimit } = Error;
    if (WITHOUT_STACK.has(code)) Error.stackTraceLimit = 0;
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    Error.stackTraceLimit = stackTraceLimit;
    this.code = code;
    this.details = options.details;
    this.retryAfterMs = options.retryAfterMs;
  }

  get retryable(): boolean {
    return ERROR_TABLE[this.code].retryable !== 'no';
  }

  /** HTTP status of the code; 500 for codes that only the command line should meet. */
  get httpStatus(): number {
    const entry: ErrorEntry = ERROR_TABLE[this.code];
    return entry.http ?? 500;
  }

  /** gRPC status of the code; INTERNAL for codes that only the command line should meet. */
  get grpcStatus(): number {
    const entry: ErrorEntry = ERROR_TABLE[this.code];
    return GRPC_STATUS[entry.grpc ?? 'INTERNAL'];
  }

  get exitCode(): number {
    return ERROR_TABLE[this.code].exit;
  }
}

/** Short form for the commonest error: what was expected at a place, and what came instead. */
export function invalidInput(message: string, details?: ErrorDetails): NimifyError {
  return new NimifyError('INVALID_INPUT', message, details === undefined ? {} : { details });
}

/** The same refusal with the place before its words, for whoever knows more of that than who refused. */
export function withPlace(place: string, error: NimifyError): NimifyError {
  const { code, message, details, retryAfterMs } = error;
  return new NimifyError(code, `${place}: ${message}`, {
    ...(details === undefined ? {} : { details }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    cause: error,
  });
}

/** The one place where an unknown thrown value becomes a NimifyError. Unknown text stays in `cause`. */
export function toNimifyError(thrown: unknown): NimifyError {
  if (thrown instanceof NimifyError) return thrown;
  return new NimifyError('INTERNAL', 'nimify met an unexpected fault; the log has the details', {
    cause: thrown,
  });
}

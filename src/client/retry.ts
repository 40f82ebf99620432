import type { NimifyError } from '../base/errors/nimify-error.ts';
import type { ErrorCode } from '../base/errors/table.ts';
import type { Clock } from '../base/util/clock.ts';

/** Attempts end with the call's time: no wait begins that it does not leave room for. */
export interface RetryOptions {
  /** How often a request is sent at most; 1: nothing is tried again. Default 3. */
  readonly attempts: number;
  /** Wait before the second attempt, in milliseconds; it doubles with each one. Default 100. */
  readonly firstDelayMs: number;
  /** Longest such wait. A server that says when to come again is obeyed whatever it says. Default 5000. */
  readonly maxDelayMs: number;
}

export const DEFAULT_RETRY: RetryOptions = { attempts: 3, firstDelayMs: 100, maxDelayMs: 5000 };

/** There was no connection, or the server said that it had not begun with the request (RFC 9113, 8.7). */
const NEVER_BEGUN: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'REFUSED_STREAM',
]);

const BUSY_HTTP: ReadonlySet<unknown> = new Set([429, 503]);
/** RESOURCE_EXHAUSTED, UNAVAILABLE. */
const BUSY_GRPC: ReadonlySet<unknown> = new Set([8, 14]);

/** Codes of these statuses that another attempt would meet again, or that came of running the request. */
const NOT_FOR_RETRY: ReadonlySet<ErrorCode> = new Set(['PAYLOAD_TOO_LARGE', 'ENGINE_CRASHED']);

/**
 * Was the request certainly not run, so that it may be sent again whatever it does? A connection that broke off tells
 * nothing of it, nor does a proxy's 502.
 */
export function wasNotRun({ code, details = {} }: NimifyError): boolean {
  const { status, grpcStatus, got, mayRetry } = details;
  if (status === undefined && grpcStatus === undefined) return NEVER_BEGUN.has(got);
  if (NOT_FOR_RETRY.has(code) || mayRetry === false) return false;
  return status === undefined ? BUSY_GRPC.has(grpcStatus) : BUSY_HTTP.has(status);
}

/**
 * Wait before the next attempt, in milliseconds. Drawn, so that clients that were refused together do not come back
 * together: from the upper half of the back-off, or a little after the time that the server named.
 */
export function delayBeforeRetry(
  { retryAfterMs }: NimifyError,
  tried: number,
  { firstDelayMs, maxDelayMs }: RetryOptions,
  clock: Clock,
): number {
  if (retryAfterMs !== undefined) return retryAfterMs + firstDelayMs * clock.random();
  const backOffMs = Math.min(maxDelayMs, firstDelayMs * 2 ** (tried - 1));
  return backOffMs * (0.5 + clock.random() / 2);
}

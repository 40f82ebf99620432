import { NimifyError, toNimifyError } from '../../base/errors/nimify-error.ts';
import { jsonReply, type Reply } from './reply.ts';

/** The body of every failed answer: OIP's `error`, and what machines want beside it. */
export interface HttpErrorBody {
  readonly error: string;
  readonly code: string;
  readonly request_id: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** The one place where an error becomes an HTTP answer. Causes and stacks stay behind. */
export function errorReply(error: NimifyError, requestId: string): Reply {
  const body: HttpErrorBody = {
    error: error.message,
    code: error.code,
    request_id: requestId,
    ...(error.details === undefined ? {} : { details: toPlain(error.details) }),
  };
  return jsonReply(error.httpStatus, body, { ...errorHeaders(error), 'x-request-id': requestId });
}

function errorHeaders(error: NimifyError): Record<string, string> {
  const headers: Record<string, string> = {};
  if (error.retryAfterMs !== undefined) {
    headers['retry-after'] = String(Math.max(1, Math.ceil(error.retryAfterMs / 1000)));
  }
  const allow = error.details?.allow;
  if (error.code === 'METHOD_NOT_ALLOWED' && Array.isArray(allow)) headers.allow = allow.join(', ');
  return headers;
}

/** Details may hold 64-bit integers and non-finite numbers, for which JSON has no form. */
function toPlain(details: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return JSON.parse(
    JSON.stringify(details, (_key, value: unknown) =>
      typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value))
        ? String(value)
        : value,
    ),
  ) as Record<string, unknown>;
}

/**
 * What a handler threw, as a NimifyError. Fastify and its plugins mark errors that are the client's with
 * `statusCode` 4xx and a message about the request; everything else is a fault of ours.
 */
export function toHttpError(thrown: unknown): NimifyError {
  if (thrown instanceof NimifyError || !(thrown instanceof Error)) return toNimifyError(thrown);
  const status = (thrown as { statusCode?: unknown }).statusCode;
  if (typeof status !== 'number' || status < 400 || status > 499) return toNimifyError(thrown);
  const code = CODE_OF_STATUS[status] ?? 'INVALID_INPUT';
  return new NimifyError(code, thrown.message, { cause: thrown });
}

const CODE_OF_STATUS: Readonly<Record<number, NimifyError['code']>> = {
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  408: 'REQUEST_TIMEOUT',
  413: 'PAYLOAD_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
};

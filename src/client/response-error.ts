import { NimifyError } from '../base/errors/nimify-error.ts';
import { ERROR_TABLE, type ErrorCode } from '../base/errors/table.ts';
import { isRecord } from '../base/util/json-value.ts';

/** What is known of an answer that is not 2xx. */
export interface FailedResponse {
  /** Where it came from, for the message: `http://127.0.0.1:8000/v2/models/m/infer`. */
  readonly url: string;
  readonly status: number;
  readonly body: Uint8Array;
  /** The `retry-after` header: seconds, or an HTTP date. */
  readonly retryAfter?: string | undefined;
}

/** Longest text of a server that goes into a message. */
const MAX_TEXT_LENGTH = 2000;

const CODE_OF_STATUS: ReadonlyMap<number, ErrorCode> = new Map([
  [400, 'INVALID_INPUT'],
  [401, 'UNAUTHENTICATED'],
  [403, 'PERMISSION_DENIED'],
  [404, 'NOT_FOUND'],
  [405, 'METHOD_NOT_ALLOWED'],
  [408, 'REQUEST_TIMEOUT'],
  [409, 'CONFLICT'],
  [413, 'PAYLOAD_TOO_LARGE'],
  [415, 'UNSUPPORTED_MEDIA_TYPE'],
  [429, 'OVERLOADED'],
  [499, 'CANCELLED'],
  [500, 'ENGINE_FAILED'],
  [501, 'UNSUPPORTED'],
  [502, 'MODEL_NOT_READY'],
  [503, 'MODEL_NOT_READY'],
  [504, 'DEADLINE_EXCEEDED'],
]);

/**
 * The error that a server told of, with the server's own code where it sent one of ours, else one by the HTTP
 * status: other servers of the protocol send `{"error": "..."}` only, proxies send anything.
 */
export function toResponseError(response: FailedResponse): NimifyError {
  const fields = readFields(response.body);
  const retryAfterMs = toDelayMs(response.retryAfter);
  const code = isErrorCode(fields.code) ? fields.code : codeOfStatus(response.status);
  const details = isRecord(fields.details) ? fields.details : {};
  const requestId = typeof fields.request_id === 'string' ? { request_id: fields.request_id } : {};
  return new NimifyError(code, messageOf(response, fields.error), {
    details: { ...details, ...requestId, status: response.status, url: response.url },
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

function messageOf(response: FailedResponse, error: unknown): string {
  if (typeof error === 'string' && error !== '') return error.slice(0, MAX_TEXT_LENGTH);
  if (response.status >= 300 && response.status < 400) {
    return `${response.url} redirects elsewhere (${response.status}); give the address it redirects to`;
  }
  return `${response.url} answered ${response.status} without the protocol's error object; is it an inference server?`;
}

function codeOfStatus(status: number): ErrorCode {
  return CODE_OF_STATUS.get(status) ?? (status >= 500 ? 'ENGINE_FAILED' : 'INVALID_INPUT');
}

function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERROR_TABLE, value);
}

function readFields(body: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(body));
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}

/** RFC 9110, section 10.2.3. Undefined where it is neither a number of seconds nor a date. */
function toDelayMs(retryAfter: string | undefined): number | undefined {
  if (retryAfter === undefined) return undefined;
  if (/^\d+$/.test(retryAfter.trim())) return Number(retryAfter) * 1000;
  const at = Date.parse(retryAfter);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}

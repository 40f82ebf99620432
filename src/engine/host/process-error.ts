import { type ErrorDetails, NimifyError, toNimifyError } from '../../base/errors/nimify-error.ts';
import type { ErrorCode } from '../../base/errors/table.ts';
import { isRecord } from '../../base/util/json-value.ts';
import { breach } from './process-frame.ts';

/**
 * Codes that a child may give. Others would say something about the server that a child cannot know; they
 * become ENGINE_FAILED. OUT_OF_MEMORY exists on this wire only, where the parent knows the limit that was met.
 */
const CODES: ReadonlySet<string> = new Set<ErrorCode | 'OUT_OF_MEMORY'>([
  'INVALID_INPUT',
  'UNSUPPORTED',
  'NOT_FOUND',
  'ENGINE_FAILED',
  'OUT_OF_MEMORY',
]);

export interface ChildError {
  readonly error: NimifyError;
  readonly isOutOfMemory: boolean;
}

/** The JSON of an error: the members of an HTTP error's body, and the native text for the log. */
export function writeChildError(thrown: unknown, isOutOfMemory: boolean): Uint8Array {
  const { code, message, details, cause } = toNimifyError(thrown);
  const native = cause instanceof Error ? (cause.stack ?? cause.message) : cause;
  return new TextEncoder().encode(
    JSON.stringify({
      error: message,
      code: isOutOfMemory ? 'OUT_OF_MEMORY' : code,
      ...(details === undefined ? {} : { details }),
      ...(native === undefined ? {} : { cause: String(native).slice(0, MAX_CAUSE) }),
    }),
  );
}

/** @throws NimifyError ENGINE_FAILED where it is no error of this protocol */
export function readChildError(json: Uint8Array): ChildError {
  const fields = parse(json);
  const { error: message, code, details, cause } = fields;
  if (typeof message !== 'string' || typeof code !== 'string') {
    throw breach("an error with texts in 'error' and 'code'", `members ${Object.keys(fields).join(', ')}`);
  }
  const known = CODES.has(code) && code !== 'OUT_OF_MEMORY' ? (code as ErrorCode) : 'ENGINE_FAILED';
  return {
    isOutOfMemory: code === 'OUT_OF_MEMORY',
    error: new NimifyError(known, clip(message), {
      ...(isRecord(details) ? { details: details as ErrorDetails } : {}),
      ...(typeof cause === 'string' ? { cause: new Error(cause) } : {}),
    }),
  };
}

const MAX_MESSAGE = 4096;
const MAX_CAUSE = 64 * 1024;

function clip(text: string): string {
  return text.length <= MAX_MESSAGE ? text : `${text.slice(0, MAX_MESSAGE)}...`;
}

function parse(json: Uint8Array): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(json));
  } catch {
    value = undefined;
  }
  if (!isRecord(value)) throw breach('a JSON object as error', `${json.length} bytes that are none`);
  return value;
}

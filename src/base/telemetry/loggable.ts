import { NimifyError } from '../errors/nimify-error.ts';

const REDACTED = '[redacted]';
const SECRET_NAME =
  /^(proxy-)?authorization$|cookie$|(api[-_]?key|password|passwd|secret|token|credentials?)$/i;
const URL_CREDENTIALS = /([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi;
const AUTH_SCHEME = /\b(bearer|basic)\s+[a-z0-9._~+/=-]{8,}/gi;
const MAX_DEPTH = 6;
const MAX_ITEMS = 50;

/**
 * Makes any value fit for a log line: errors with all their causes as plain objects, big integers as text,
 * typed arrays as a word about them (a log is no place for tensors), what looks like a secret left out by its
 * name or form, and depth and length bounded, which also ends cycles.
 */
export function toLoggable(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '[deep]';
  if (value instanceof Error) return errorFields(value, depth);
  if (value instanceof Date) return value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.constructor.name}, ${value.byteLength} bytes]`;
  if (Array.isArray(value)) return listItems(value, depth);
  return plainFields(value, depth);
}

/** The fields of an object, with secrets left out by their names. */
export function plainFields(value: object, depth = 0): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value)) {
    fields[name] = SECRET_NAME.test(name) ? REDACTED : toLoggable(field, depth + 1);
  }
  return fields;
}

function listItems(items: readonly unknown[], depth: number): readonly unknown[] {
  const shown = items.slice(0, MAX_ITEMS).map((item) => toLoggable(item, depth + 1));
  return items.length > MAX_ITEMS ? [...shown, `[${items.length - MAX_ITEMS} more]`] : shown;
}

function errorFields(error: Error, depth: number): Record<string, unknown> {
  const { code } = error as { code?: unknown };
  return {
    type: error.name,
    ...(code === undefined ? {} : { code }),
    message: redactText(error.message),
    ...(error instanceof NimifyError && error.details !== undefined
      ? { details: toLoggable(error.details, depth + 1) }
      : {}),
    ...(error.stack === undefined ? {} : { stack: redactText(error.stack) }),
    ...(error.cause === undefined ? {} : { cause: toLoggable(error.cause, depth + 1) }),
  };
}

function redactText(text: string): string {
  return text.replace(URL_CREDENTIALS, `$1${REDACTED}@`).replace(AUTH_SCHEME, `$1 ${REDACTED}`);
}

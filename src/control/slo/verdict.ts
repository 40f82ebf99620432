import type { RequestOutcome } from '../../base/telemetry/request-instruments.ts';

/**
 * Whether a request was served, by how it ended. Refusals for want of room or time count against the server: its user got
 * nothing. What the client did wrong, took back, or was not allowed to do says nothing about the server.
 */
export const VERDICTS: Readonly<Record<RequestOutcome['code'], 'good' | 'bad' | 'none'>> = {
  OK: 'good',
  OVERLOADED: 'bad',
  DEADLINE_EXCEEDED: 'bad',
  MODEL_NOT_READY: 'bad',
  CIRCUIT_OPEN: 'bad',
  STORE_UNAVAILABLE: 'bad',
  ENGINE_FAILED: 'bad',
  ENGINE_CRASHED: 'bad',
  INTERNAL: 'bad',
  INVALID_INPUT: 'none',
  PAYLOAD_TOO_LARGE: 'none',
  UNSUPPORTED_MEDIA_TYPE: 'none',
  METHOD_NOT_ALLOWED: 'none',
  REQUEST_TIMEOUT: 'none',
  CONFLICT: 'none',
  NOT_FOUND: 'none',
  UNAUTHENTICATED: 'none',
  PERMISSION_DENIED: 'none',
  MODEL_NOT_FOUND: 'none',
  RATE_LIMITED: 'none',
  CANCELLED: 'none',
  UNSUPPORTED: 'none',
  CONFIG_INVALID: 'none',
};

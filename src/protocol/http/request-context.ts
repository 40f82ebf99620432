import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { invalidInput } from '../../base/errors/nimify-error.ts';
import type { CancelToken } from '../../base/util/cancel.ts';
import { ANONYMOUS, type Phases, type RequestContext } from '../../model/context.ts';
import type { Parameters, SequencePosition } from '../../model/request.ts';

/** Of a head what all that answers requests looks at: fields under their lower-case names. */
export type RequestHead = Pick<IncomingMessage, 'headers'>;

/** What is known of a request from its head on. */
export interface RequestLife {
  readonly requestId: string;
  /** When the head had come, on the clock's monotonic time. */
  readonly arrivedAtNs: number;
  readonly cancel: CancelToken;
  readonly phases: Phases;
}

/**
 * The context of a decoded request. Deadline: the smaller of OIP's parameter `timeout` (microseconds; 0 is
 * unset, as in Triton's schedule policy extension) and the header `x-request-deadline`, else the model's default.
 * @throws NimifyError INVALID_INPUT
 */
export function contextFor(
  request: RequestHead,
  defaultTimeoutMs: number,
  life: RequestLife,
  parameters: Parameters,
): RequestContext {
  return {
    requestId: life.requestId,
    deadlineAtNs: life.arrivedAtNs + remainingNs(request, defaultTimeoutMs, parameters),
    cancel: life.cancel,
    principal: ANONYMOUS,
    priority: priorityOf(parameters),
    attributes: attributesOf(request),
    phases: life.phases,
  };
}

const USABLE_REQUEST_ID = /^[A-Za-z0-9._:~+/=@-]{1,128}$/;

/** `x-request-id` where it is 1 to 128 characters that are safe in headers and logs, else a new one. */
export function requestIdOf(request: RequestHead): string {
  const sent = request.headers['x-request-id'];
  return typeof sent === 'string' && USABLE_REQUEST_ID.test(sent) ? sent : randomUUID();
}

function remainingNs(request: RequestHead, defaultTimeoutMs: number, parameters: Parameters): number {
  const fromParameter = timeoutNs(parameters);
  const fromHeader = headerDeadlineNs(request.headers['x-request-deadline']);
  if (fromParameter === undefined && fromHeader === undefined) return defaultTimeoutMs * 1e6;
  return Math.min(fromParameter ?? Number.POSITIVE_INFINITY, fromHeader ?? Number.POSITIVE_INFINITY);
}

function timeoutNs(parameters: Parameters): number | undefined {
  const timeout = parameters.timeout;
  if (timeout === undefined || timeout === 0) return undefined;
  if (typeof timeout === 'number' && Number.isFinite(timeout) && timeout > 0) return timeout * 1000;
  throw invalidInput(
    `parameters.timeout: expected microseconds as a number of at least 0, got ${JSON.stringify(timeout)}`,
    { where: 'parameters.timeout', expected: 'microseconds', got: timeout },
  );
}

const DEADLINE = /^(\d{1,15}(?:\.\d{1,9})?)(us|ms|s)?$/;
const NS_PER_UNIT = { us: 1e3, ms: 1e6, s: 1e9 } as const;

function headerDeadlineNs(header: string | string[] | undefined): number | undefined {
  if (header === undefined) return undefined;
  const match = typeof header === 'string' ? DEADLINE.exec(header.trim()) : null;
  if (match?.[1] === undefined) {
    throw invalidInput(
      `x-request-deadline: expected the remaining time such as 250ms, 2s, 1500us or a bare number of milliseconds, got '${header}'`,
      { where: 'x-request-deadline', expected: '250ms', got: header },
    );
  }
  return Number(match[1]) * NS_PER_UNIT[(match[2] ?? 'ms') as keyof typeof NS_PER_UNIT];
}

function priorityOf(parameters: Parameters): number {
  const priority = parameters.priority;
  if (priority === undefined) return 0;
  if (typeof priority === 'number' && Number.isSafeInteger(priority) && priority >= 0) return priority;
  throw invalidInput(
    `parameters.priority: expected an integer, 0 for the default or 1 (most urgent) and up, got ${JSON.stringify(priority)}`,
    { where: 'parameters.priority', expected: 'integer of at least 0', got: priority },
  );
}

/**
 * The place in a sequence (Triton's sequence extension): `sequence_id` 0 or empty means no sequence.
 * @throws NimifyError INVALID_INPUT
 */
export function sequenceOf(parameters: Parameters): SequencePosition | undefined {
  const id = parameters.sequence_id;
  const start = flagOf(parameters, 'sequence_start');
  const end = flagOf(parameters, 'sequence_end');
  if (typeof id === 'boolean' || (typeof id === 'number' && (!Number.isSafeInteger(id) || id < 0))) {
    throw invalidInput(
      `parameters.sequence_id: expected a string or an integer from 0 to 2^53 - 1, got ${id}; send larger ids as strings`,
      { where: 'parameters.sequence_id', got: id },
    );
  }
  if (id === undefined || id === 0 || id === '') {
    if (!start && !end) return undefined;
    throw invalidInput(
      'parameters.sequence_id: expected one beside sequence_start and sequence_end, got none',
      { where: 'parameters.sequence_id', expected: 'a string or a number above 0' },
    );
  }
  return { id, start, end };
}

function flagOf(parameters: Parameters, name: string): boolean {
  const value = parameters[name];
  if (value === undefined) return false;
  if (typeof value === 'boolean') return value;
  throw invalidInput(`parameters.${name}: expected true or false, got ${JSON.stringify(value)}`, {
    where: `parameters.${name}`,
    expected: 'boolean',
    got: value,
  });
}

/** The headers as they are: Node gives every header but `set-cookie` as one string under its lower-case name. */
function attributesOf(request: RequestHead): Readonly<Record<string, string>> {
  const headers = request.headers;
  if (headers['set-cookie'] === undefined) return headers as Readonly<Record<string, string>>;
  const { 'set-cookie': _dropped, ...rest } = headers;
  return rest as Readonly<Record<string, string>>;
}

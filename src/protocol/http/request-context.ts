import type { IncomingMessage } from 'node:http';
import { invalidInput } from '../../base/errors/nimify-error.ts';
import type { CancelToken } from '../../base/util/cancel.ts';
import { ANONYMOUS, type Phases, type RequestContext } from '../../model/context.ts';
import type { Parameters } from '../../model/request.ts';
import { priorityOf, timeoutNsOf } from '../infer-parameters.ts';

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

function remainingNs(request: RequestHead, defaultTimeoutMs: number, parameters: Parameters): number {
  const fromParameter = timeoutNsOf(parameters);
  const fromHeader = headerDeadlineNs(request.headers['x-request-deadline']);
  if (fromParameter === undefined && fromHeader === undefined) return defaultTimeoutMs * 1e6;
  return Math.min(fromParameter ?? Number.POSITIVE_INFINITY, fromHeader ?? Number.POSITIVE_INFINITY);
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

/** The headers as they are: Node gives every header but `set-cookie` as one string under its lower-case name. */
function attributesOf(request: RequestHead): Readonly<Record<string, string>> {
  const headers = request.headers;
  if (headers['set-cookie'] === undefined) return headers as Readonly<Record<string, string>>;
  const { 'set-cookie': _dropped, ...rest } = headers;
  return rest as Readonly<Record<string, string>>;
}

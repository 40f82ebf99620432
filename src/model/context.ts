import { type CancelToken, NEVER_CANCELLED } from '../base/util/cancel.ts';

/** Who asks. Until there are credentials everybody is `anonymous`. */
export interface Principal {
  readonly name: string;
  readonly tenant?: string;
}

export const ANONYMOUS: Principal = { name: 'anonymous' };

/** The server itself, which finds out whether a model answers: no client's request. */
export const SELF_TEST: Principal = { name: 'self-test' };

/** Nanoseconds spent in each part of the request's way; written by whoever does the part. */
export interface Phases {
  decodeNs: number;
  queueNs: number;
  computeNs: number;
  encodeNs: number;
}

export interface RequestContext {
  /** Unique within the process; `x-request-id` where the client sent a usable one. */
  readonly requestId: string;
  /** Absolute, on the clock's monotonic time; `Infinity`: none was set and the default does not apply. */
  readonly deadlineAtNs: number;
  readonly cancel: CancelToken;
  readonly principal: Principal;
  /** OIP's `priority`: 0 is the default, 1 the most urgent. */
  readonly priority: number;
  /** Headers and the like that a policy may look at; lower-case names. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly phases: Phases;
}

/** A context with sound defaults, for calls from within the process and for tests. */
export function createContext(fields: Partial<RequestContext> = {}): RequestContext {
  return {
    requestId: fields.requestId ?? 'in-process',
    deadlineAtNs: fields.deadlineAtNs ?? Number.POSITIVE_INFINITY,
    cancel: fields.cancel ?? NEVER_CANCELLED,
    principal: fields.principal ?? ANONYMOUS,
    priority: fields.priority ?? 0,
    attributes: fields.attributes ?? {},
    phases: fields.phases ?? createPhases(),
  };
}

export function createPhases(): Phases {
  return { decodeNs: 0, queueNs: 0, computeNs: 0, encodeNs: 0 };
}

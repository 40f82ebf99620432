import { NimifyError } from '../base/errors/nimify-error.ts';
import type { Registry } from '../registry/contract.ts';

/** `open` and `close` hold until somebody says otherwise; `reset` leaves it to the breaker again. */
export const BREAKER_ACTIONS = ['open', 'close', 'reset'] as const;
export type BreakerAction = (typeof BREAKER_ACTIONS)[number];

/** From best to worst. */
export const BREAKER_STATES = ['closed', 'half-open', 'open'] as const;

/** A model's breaker, in one process or in all. */
export interface BreakerStatus {
  readonly model: string;
  readonly version: string;
  /** Of several processes the worst. */
  readonly state: (typeof BREAKER_STATES)[number];
  /** Somebody opened or closed it by hand. */
  readonly forced: boolean;
  /** What it looks at: the last calls, those that failed, and those that were slow. */
  readonly calls: number;
  readonly faults: number;
  readonly slow: number;
  /** Time until the backend is tried again; 0 where it is not being left alone. */
  readonly retry_after_ms: number;
}

/** @throws NimifyError as `Registry.find`; NOT_FOUND where the model has no breaker */
export function readBreaker(registry: Pick<Registry, 'find'>, name: string, version?: string): BreakerStatus {
  const { served, breaker } = findBreaker(registry, name, version);
  const { state, isForced, calls, faults, slow, retryAfterMs } = breaker.read();
  return {
    ...{ model: served.name, version: served.version, state, forced: isForced, calls, faults, slow },
    retry_after_ms: Math.ceil(retryAfterMs),
  };
}

/** @throws NimifyError as `readBreaker` */
export function changeBreaker(
  registry: Pick<Registry, 'find'>,
  name: string,
  version: string | undefined,
  action: BreakerAction,
): BreakerStatus {
  findBreaker(registry, name, version).breaker[action]();
  return readBreaker(registry, name, version);
}

/** What several processes say of one model. */
export function joinBreakers(statuses: readonly [BreakerStatus, ...BreakerStatus[]]): BreakerStatus {
  return statuses.reduce((one, other) => ({
    ...{ model: one.model, version: one.version },
    state: BREAKER_STATES.indexOf(other.state) > BREAKER_STATES.indexOf(one.state) ? other.state : one.state,
    forced: one.forced || other.forced,
    calls: one.calls + other.calls,
    faults: one.faults + other.faults,
    slow: one.slow + other.slow,
    retry_after_ms: Math.max(one.retry_after_ms, other.retry_after_ms),
  }));
}

function findBreaker(registry: Pick<Registry, 'find'>, name: string, version: string | undefined) {
  const served = registry.find(name, version);
  const { breaker } = served;
  if (breaker !== undefined) return { served, breaker };
  throw new NimifyError(
    'NOT_FOUND',
    `Model '${name}' has no breaker; set breaker: on in nimify.yaml to give it one`,
  );
}

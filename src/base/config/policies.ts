import { numberFrom, wholeFrom, wordOf, wordOrFields } from './fields.ts';
import type { Kind } from './kind.ts';

/**
 * What stands between a request and an engine that fails, as nimify.yaml says it. `auto` leaves it to where the model
 * runs: docs/resilience.md has the rules and every default.
 */
export interface PolicyChoices {
  readonly breaker: 'auto' | 'on' | 'off' | Partial<BreakerFields>;
  readonly retry: 'auto' | 'on' | 'off' | Partial<RetryFields>;
  readonly hedge: 'on' | 'off' | Partial<HedgeFields>;
  readonly ejection: 'auto' | 'on' | 'off' | Partial<EjectionFields>;
  readonly fallback?: readonly FallbackRung[];
  readonly bulkhead?: Partial<BulkheadFields>;
}

/** What holds where nobody says anything. */
export const DEFAULT_POLICIES: PolicyChoices = {
  breaker: 'auto',
  retry: 'auto',
  hedge: 'off',
  ejection: 'auto',
};

export interface BreakerFields {
  readonly calls: number;
  readonly windowMs: number;
  readonly minCalls: number;
  readonly errorRate: number;
  readonly slowMs: number;
  readonly slowRate: number;
  readonly probes: number;
  readonly openMs: number;
  readonly maxOpenMs: number;
}

export interface RetryFields {
  readonly maxTries: number;
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  readonly share: number;
  readonly minPerSecond: number;
}

export interface HedgeFields {
  readonly share: number;
  readonly percentile: number;
  readonly minDelayMs: number;
}

export interface EjectionFields {
  readonly consecutiveErrors: number;
  readonly intervalMs: number;
  readonly minCalls: number;
  readonly latencyFactor: number;
  readonly ejectionMs: number;
  readonly maxEjectionMs: number;
  readonly maxShare: number;
  readonly panicShare: number;
}

export interface BulkheadFields {
  readonly maxConcurrent: number;
  readonly criticality: 'critical' | 'default' | 'sheddable';
  readonly sheddableShare: number;
}

/** Another model, one version of it, or outputs by their names, of one row. */
export type FallbackRung =
  | { readonly model: string; readonly version?: string }
  | { readonly constant: Readonly<Record<string, unknown>> };

const ANY_MS = numberFrom(1, 3_600_000);
const ANY_COUNT = wholeFrom(1, 100_000);
const RATE = numberFrom(0.01, 1);

export const BREAKER: Kind<PolicyChoices['breaker']> = wordOrFields<'auto' | 'on' | 'off', BreakerFields>(
  'breaker',
  ['auto', 'on', 'off'],
  {
    calls: ANY_COUNT,
    windowMs: ANY_MS,
    minCalls: ANY_COUNT,
    errorRate: RATE,
    slowMs: ANY_MS,
    slowRate: RATE,
    probes: wholeFrom(1, 1000),
    openMs: ANY_MS,
    maxOpenMs: ANY_MS,
  },
);

export const RETRY: Kind<PolicyChoices['retry']> = wordOrFields<'auto' | 'on' | 'off', RetryFields>(
  'retry',
  ['auto', 'on', 'off'],
  {
    maxTries: wholeFrom(2, 10),
    baseDelayMs: ANY_MS,
    maxDelayMs: ANY_MS,
    share: numberFrom(0, 1),
    minPerSecond: numberFrom(0, 1000),
  },
);

export const HEDGE: Kind<PolicyChoices['hedge']> = wordOrFields<'on' | 'off', HedgeFields>(
  'hedge',
  ['on', 'off'],
  { share: RATE, percentile: numberFrom(50, 99.9), minDelayMs: ANY_MS },
);

export const EJECTION: Kind<PolicyChoices['ejection']> = wordOrFields<'auto' | 'on' | 'off', EjectionFields>(
  'ejection',
  ['auto', 'on', 'off'],
  {
    consecutiveErrors: ANY_COUNT,
    intervalMs: ANY_MS,
    minCalls: ANY_COUNT,
    latencyFactor: numberFrom(1.1, 1000),
    ejectionMs: ANY_MS,
    maxEjectionMs: ANY_MS,
    maxShare: RATE,
    panicShare: numberFrom(0, 1),
  },
);

export const BULKHEAD: Kind<Partial<BulkheadFields>> = wordOrFields<never, BulkheadFields>('bulkhead', [], {
  maxConcurrent: ANY_COUNT,
  criticality: wordOf(['critical', 'default', 'sheddable']),
  sheddableShare: RATE,
});

/** As text: names with commas between them, each perhaps with a version, such as `small,digits:1`. */
export const FALLBACK: Kind<readonly FallbackRung[]> = {
  name: 'fallback',
  expected:
    'a list of rungs, each {model: <name>}, {model: <name>, version: "<version>"} or {constant: {<output>: <values of one row>}}; ' +
    'as text: names with commas between them, such as small,digits:1',
  schema: {
    type: 'array',
    minItems: 1,
    items: {
      anyOf: [
        {
          type: 'object',
          required: ['model'],
          additionalProperties: false,
          properties: { model: { type: 'string', minLength: 1 }, version: { type: 'string', minLength: 1 } },
        },
        {
          type: 'object',
          required: ['constant'],
          additionalProperties: false,
          properties: { constant: { type: 'object', minProperties: 1 } },
        },
      ],
    },
  },
  fromValue: (value) => (Array.isArray(value) && value.length > 0 && value.every(isRung) ? value : undefined),
  fromText(text) {
    const rungs = text.split(',').map((part) => {
      const [, model, version] = /^\s*([^\s:]+)(?::([^\s:]+))?\s*$/.exec(part) ?? [];
      return { model, ...(version === undefined ? {} : { version }) };
    });
    return FALLBACK.fromValue(rungs);
  },
};

function isRung(value: unknown): value is FallbackRung {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const { model, version, constant, ...others } = value as Readonly<Record<string, unknown>>;
  if (Object.keys(others).length > 0) return false;
  if (constant === undefined) return isName(model) && (version === undefined || isName(version));
  const isObject = typeof constant === 'object' && constant !== null && !Array.isArray(constant);
  return isObject && Object.keys(constant).length > 0 && model === undefined && version === undefined;
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

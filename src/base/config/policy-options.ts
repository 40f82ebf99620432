import { option } from './option.ts';
import { BREAKER, BULKHEAD, DEFAULT_POLICIES, EJECTION, FALLBACK, HEDGE, RETRY } from './policies.ts';

/** What stands between a model's requests and an engine that fails. */
export const POLICY_OPTIONS = {
  breaker: option(BREAKER, {
    default: DEFAULT_POLICIES.breaker,
    env: ['NIMIFY_BREAKER'],
    flag: '--breaker',
    doc: 'Whether a model that fails too often is left alone for a while: its requests are refused with CIRCUIT_OPEN at once, or answered by its `fallback`. `auto`: where it runs in processes or is a program. An object turns it on with some of `calls` (looked at, by default the last 100) or `windowMs`, `minCalls` (20), `errorRate` (0.5), `slowMs` (none) and `slowRate` (0.5), `probes` (3), `openMs` (1000) and `maxOpenMs` (8000).',
  }),
  retry: option(RETRY, {
    default: DEFAULT_POLICIES.retry,
    env: ['NIMIFY_RETRY'],
    flag: '--retry',
    doc: 'Whether a request is tried again whose engine crashed under it. `auto`: where the model runs in processes, which are replaced, or is a program. An object turns it on with some of `maxTries` (the first included, by default 2), `baseDelayMs` (10), `maxDelayMs` (1000), and the budget: `share` (retries for each request, 0.2) and `minPerSecond` (3). Requests of a sequence are never tried again.',
  }),
  hedge: option(HEDGE, {
    default: DEFAULT_POLICIES.hedge,
    env: ['NIMIFY_HEDGE'],
    flag: '--hedge',
    doc: 'Whether a run that takes longer than most is given to a second instance as well, whichever is done first. Only for models of several threads or processes. An object turns it on with some of `share` (second copies for each request, by default 0.05), `percentile` (95) and `minDelayMs` (1).',
  }),
  ejection: option(EJECTION, {
    default: DEFAULT_POLICIES.ejection,
    env: ['NIMIFY_EJECTION'],
    flag: '--ejection',
    doc: 'Whether an instance that does worse than the others of the same model gets nothing for a while. `auto`: where they are processes. An object turns it on, for threads as well, with some of `consecutiveErrors` (by default 5), `intervalMs` (5000), `minCalls` (20), `latencyFactor` (4), `ejectionMs` (2000), `maxEjectionMs` (10000), `maxShare` (0.5) and `panicShare` (0.5).',
  }),
  fallback: option(FALLBACK, {
    default: undefined,
    env: ['NIMIFY_FALLBACK'],
    flag: '--fallback',
    example: '[{model: small}, {constant: {label: [0]}}]',
    doc: 'Who answers where the model does not: other models or versions that are served, or outputs that are always the same, one after the other. The answer says which in `x-nimify-fallback`. Default: nobody.',
  }),
  bulkhead: option(BULKHEAD, {
    default: undefined,
    env: ['NIMIFY_BULKHEAD'],
    flag: '--bulkhead',
    example: '{maxConcurrent: 64, criticality: critical}',
    doc: 'What requests of this model may take of the server: `maxConcurrent` requests in flight, `criticality` of those that do not say it themselves in `x-nimify-criticality` (`critical`, `default` or `sheddable`), and `sheddableShare`, the share of the learned limit that sheddable ones may fill (by default 0.5). Default: the learned limit alone.',
  }),
} as const;

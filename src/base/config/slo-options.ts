import { milliseconds } from './kind.ts';
import { option } from './option.ts';
import { AVAILABILITY, OBJECTIVE_SHARE } from './service-level.ts';

/** What the answers of a model are to keep to. */
export const SLO_OPTIONS = {
  availability: option(AVAILABILITY, {
    default: 0.999,
    env: ['NIMIFY_SLO_AVAILABILITY'],
    flag: '--slo-availability',
    doc: 'Share of the requests that are to be answered; mistakes of clients do not count. What remains is the error budget: how fast it is spent is at `/admin/slo`, in the metrics, and, where it is too fast, an event; see docs/slo.md. `off`: none.',
  }),
  latency: {
    thresholdMs: option(milliseconds(1), {
      default: undefined,
      env: ['NIMIFY_SLO_LATENCY_MS'],
      flag: '--slo-latency-ms',
      example: '100ms',
      doc: 'Time within which answers are to be there, from the first byte of a request. Default: that of `objective`, where there is one, else no such objective.',
    }),
    target: option(OBJECTIVE_SHARE, {
      default: undefined,
      env: ['NIMIFY_SLO_LATENCY_TARGET'],
      flag: '--slo-latency-target',
      example: '0.99',
      doc: 'Share of the answers that are to be there by then. Default: that of `objective`, where there is one, else 0.99.',
    }),
  },
} as const;

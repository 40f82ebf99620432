import type { Kind } from './kind.ts';
import type { Objective } from './objective.ts';

const SHARE_SCHEMA = { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 };

/** A share of requests below the whole: with nothing left to fail there would be no budget to spend. */
export const OBJECTIVE_SHARE: Kind<number> = {
  name: 'share',
  expected: 'a number above 0 and below 1, such as 0.99',
  schema: SHARE_SCHEMA,
  fromValue: (value) => (typeof value === 'number' && value > 0 && value < 1 ? value : undefined),
  fromText: (text) => (/^0?\.\d{1,9}$/.test(text) ? OBJECTIVE_SHARE.fromValue(Number(text)) : undefined),
};

/** Such a share, or none. */
export const AVAILABILITY: Kind<'off' | number> = {
  name: 'off | share',
  expected: 'off, or a number above 0 and below 1, such as 0.999',
  schema: { anyOf: [{ enum: ['off'] }, SHARE_SCHEMA] },
  fromValue: (value) => (value === 'off' ? value : OBJECTIVE_SHARE.fromValue(value)),
  fromText: (text) => (text.toLowerCase() === 'off' ? 'off' : OBJECTIVE_SHARE.fromText(text)),
};

/** As nimify.yaml has it. */
export interface SloSettings {
  readonly availability?: 'off' | number | undefined;
  readonly latency?: { readonly thresholdMs?: number | undefined; readonly target?: number | undefined };
}

/** What the requests of a model are to keep to. */
export interface SloObjectives {
  /** Share of the requests that are answered, below 1. */
  readonly availability?: number;
  /** Share of the answers that are there within the time, from the first byte of the request. */
  readonly latency?: { readonly thresholdMs: number; readonly target: number };
}

const DEFAULT_AVAILABILITY = 0.999;
const DEFAULT_LATENCY_TARGET = 0.99;

/** With their defaults: whoever has said what latency is wanted need not say it twice. */
export function toSloObjectives(
  { availability = DEFAULT_AVAILABILITY, latency = {} }: SloSettings = {},
  objective?: Objective,
): SloObjectives {
  const thresholdMs = latency.thresholdMs ?? objective?.latencyMs;
  const target =
    latency.target ?? (objective === undefined ? DEFAULT_LATENCY_TARGET : objective.percentile / 100);
  return {
    ...(availability === 'off' ? {} : { availability }),
    ...(thresholdMs === undefined ? {} : { latency: { thresholdMs, target } }),
  };
}

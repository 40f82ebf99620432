import type { Kind } from './kind.ts';

/** What answers are to keep to: so many of a hundred within so long. */
export interface Objective {
  /** Of a hundred answers; may have decimals, such as 99.9. */
  readonly percentile: number;
  readonly latencyMs: number;
}

/** Objectives that were given without a percentile are about this one. */
const USUAL_PERCENTILE = 99;
const UNITS: Readonly<Record<string, number>> = { us: 1e-3, ms: 1, s: 1e3 };
const PATTERN = String.raw`^([pP]\d{2}(\.\d{1,3})? ?<=? ?)?\d{1,9}(\.\d{1,6})? ?(us|ms|s)$`;
const SHAPE = new RegExp(PATTERN);
const PARTS = /^(?:[pP](\d{2}(?:\.\d+)?) ?<=? ?)?([\d.]+) ?(us|ms|s)$/;
/** An hour: above it nobody waits. */
const LONGEST_MS = 3_600_000;

/** A latency objective: `p99 < 50ms`, `p95 < 1s`, or `50ms`, which means 99 of 100. */
export const OBJECTIVE: Kind<Objective> = {
  name: 'objective',
  expected: 'a latency that most answers keep to, such as p99 < 50ms, p95 < 1s, or 50ms (which means p99)',
  schema: {
    anyOf: [
      { type: 'string', pattern: PATTERN },
      {
        type: 'object',
        additionalProperties: false,
        required: ['percentile', 'latencyMs'],
        properties: {
          percentile: { type: 'number', minimum: 50, exclusiveMaximum: 100 },
          latencyMs: { type: 'number', exclusiveMinimum: 0, maximum: LONGEST_MS },
        },
      },
    ],
  },
  fromValue: (value) =>
    typeof value === 'string' ? fromText(value) : isObjective(value) ? value : undefined,
  fromText,
};

/** One that was read already. */
function isObjective(value: unknown): value is Objective {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 2) return false;
  const { percentile, latencyMs } = value as Partial<Objective>;
  return typeof percentile === 'number' && typeof latencyMs === 'number' && isWithin(percentile, latencyMs);
}

function isWithin(percentile: number, latencyMs: number): boolean {
  return latencyMs > 0 && latencyMs <= LONGEST_MS && percentile >= 50 && percentile < 100;
}

/** In the form in which it is written. */
export function objectiveText({ percentile, latencyMs }: Objective): string {
  return `p${percentile} < ${latencyMs}ms`;
}

function fromText(text: string): Objective | undefined {
  const [, percentile, amount, unit] = (SHAPE.test(text) && PARTS.exec(text)) || [];
  if (amount === undefined || unit === undefined) return undefined;
  const latencyMs = Number(amount) * UNITS[unit]!;
  const wanted = percentile === undefined ? USUAL_PERCENTILE : Number(percentile);
  return isWithin(wanted, latencyMs) ? { percentile: wanted, latencyMs } : undefined;
}

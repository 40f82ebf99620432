import { burnRate, PERIOD_NAME } from './burn-rates.ts';
import type { Counted, SloCounts } from './contract.ts';
import { remainingBudget } from './slo-metrics.ts';

/** One objective of one model, as `GET /admin/slo` tells it. */
export interface SloStanding {
  readonly model: string;
  readonly objective: string;
  readonly target: number;
  readonly threshold_ms?: number;
  /** What the target and the budget are about. */
  readonly period: string;
  /** From when on it was counted. ISO 8601. */
  readonly since: string;
  readonly good: number;
  readonly bad: number;
  /** Share of the good ones; null where there were none at all. */
  readonly ratio: number | null;
  readonly budget: {
    /** Requests that may fail, of those that came. */
    readonly allowed: number;
    readonly spent: number;
    /** Share that is left; below 0 where more was spent. */
    readonly remaining: number;
  };
  /** How many times faster than it may be the budget was spent, by window. */
  readonly burn_rate: Readonly<Record<string, number>>;
  /** `ok`, or how bad it is that it is spent too fast. */
  readonly state: string;
}

/** What all processes of a server counted together. */
export function toSloReport(all: readonly (readonly SloCounts[])[]): readonly SloStanding[] {
  const sums = new Map<string, SloCounts>();
  for (const counts of all.flat()) {
    const key = JSON.stringify([counts.model, counts.objective]);
    const before = sums.get(key);
    sums.set(key, before === undefined ? counts : add(before, counts));
  }
  return [...sums.values()].map(toStanding);
}

function toStanding({ model, objective, target, thresholdMs, sinceMs, windows, period, burns }: SloCounts) {
  const { good, bad } = period;
  const burn = Object.entries(windows).map(([name, counted]) => [name, rounded(burnRate(counted, target))]);
  return {
    model,
    objective,
    target,
    ...(thresholdMs === undefined ? {} : { threshold_ms: thresholdMs }),
    period: PERIOD_NAME,
    since: new Date(sinceMs).toISOString(),
    good,
    bad,
    ratio: good + bad === 0 ? null : rounded(good / (good + bad)),
    budget: {
      allowed: rounded((good + bad) * (1 - target)),
      spent: bad,
      remaining: rounded(remainingBudget(period, target)),
    },
    burn_rate: Object.fromEntries(burn) as Record<string, number>,
    state: burns ?? 'ok',
  };
}

function add(one: SloCounts, other: SloCounts): SloCounts {
  const windows = Object.entries(one.windows).map(([name, counted]) => [
    name,
    sum(counted, other.windows[name]),
  ]);
  return {
    ...one,
    sinceMs: Math.min(one.sinceMs, other.sinceMs),
    windows: Object.fromEntries(windows) as SloCounts['windows'],
    period: sum(one.period, other.period),
    total: sum(one.total, other.total),
    burns: one.burns === 'paging' ? one.burns : (other.burns ?? one.burns),
  };
}

function sum(one: Counted, other: Counted = { good: 0, bad: 0 }): Counted {
  return { good: one.good + other.good, bad: one.bad + other.bad };
}

/** Six places: a share of a million requests. */
function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

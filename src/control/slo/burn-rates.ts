import type { OpenLevel } from '../../base/telemetry/events.ts';
import type { Counted } from './contract.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** What an objective holds for: its error budget is what may fail of the requests of so long. */
export const PERIOD_MS = 30 * DAY_MS;
export const PERIOD_NAME = '30d';

/** Lengths in milliseconds, by the names that they have in Prometheus. */
export const WINDOWS = {
  '5m': 5 * MINUTE_MS,
  '30m': 30 * MINUTE_MS,
  '1h': HOUR_MS,
  '2h': 2 * HOUR_MS,
  '6h': 6 * HOUR_MS,
  '1d': DAY_MS,
  '3d': 3 * DAY_MS,
} as const;

export type WindowName = keyof typeof WINDOWS;

export interface BurnRate {
  /** The rate must hold over the long window, so that it matters, and the short one, so that it still goes on. */
  readonly long: WindowName;
  readonly short: WindowName;
  /** As a multiple of the rate at which the budget would last for just the period. */
  readonly rate: number;
  readonly level: Extract<OpenLevel, 'degraded' | 'paging'>;
}

/**
 * Multiwindow, multi-burn-rate alerts (Google: The Site Reliability Workbook, "Alerting on SLOs", 2018): an hour at 14.4
 * times the rate takes 2 % of the budget of 30 days, six hours at 6 times 5 %, a day at 3 times 10 %, three days at the rate
 * itself 10 %.
 */
export const BURN_RATES: readonly BurnRate[] = [
  { long: '1h', short: '5m', rate: 14.4, level: 'paging' },
  { long: '6h', short: '30m', rate: 6, level: 'paging' },
  { long: '1d', short: '2h', rate: 3, level: 'degraded' },
  { long: '3d', short: '6h', rate: 1, level: 'degraded' },
];

/** Fewer failures than this within the long window tell nobody: of few requests one is a high rate. */
export const LEAST_BAD = 10;

/** How many times faster than it may be the budget was spent; 0 where nothing was asked. */
export function burnRate({ good, bad }: Counted, target: number): number {
  return good + bad === 0 ? 0 : bad / (good + bad) / (1 - target);
}

/** The first of this level that holds. */
export function findBurn(
  level: BurnRate['level'],
  windows: Readonly<Record<WindowName, Counted>>,
  target: number,
): BurnRate | undefined {
  return BURN_RATES.find(
    ({ long, short, rate, level: itsLevel }) =>
      itsLevel === level &&
      windows[long].bad >= LEAST_BAD &&
      burnRate(windows[long], target) >= rate &&
      burnRate(windows[short], target) >= rate,
  );
}

import type { MetricsRegistry } from '../../base/telemetry/metrics.ts';
import { burnRate } from './burn-rates.ts';
import type { Counted, SloCounts } from './contract.ts';

/** Tells what the ledger holds; the rules of `nimify alerts` are written over these. */
export function createSloMetrics(metrics: MetricsRegistry, read: () => readonly SloCounts[]): void {
  const labels = ['model', 'objective'];
  const requests = metrics.counter(
    'nimify_slo_requests',
    'Requests that count for an objective, by whether they kept to it.',
    [...labels, 'result'],
  );
  const objectives = metrics.gauge(
    'nimify_slo_objective_ratio',
    'Share of the requests that are to keep to it.',
    labels,
  );
  const budget = metrics.gauge(
    'nimify_slo_budget_remaining_ratio',
    'Share of the error budget of 30 days that is left; below 0 where more was spent. Since the start of the process.',
    labels,
  );
  const burn = metrics.gauge(
    'nimify_slo_burn_rate',
    'How many times faster than it may be the error budget was spent, by window.',
    [...labels, 'window'],
  );
  const told = new Map<string, Counted>();
  metrics.onCollect(() => {
    for (const { model, objective, target, windows, period, total } of read()) {
      const key = JSON.stringify([model, objective]);
      const before = told.get(key) ?? NONE;
      // A model that went and came again counts from nothing.
      const { good, bad } = total.good < before.good || total.bad < before.bad ? NONE : before;
      requests.labels(model, objective, 'good').inc(total.good - good);
      requests.labels(model, objective, 'bad').inc(total.bad - bad);
      told.set(key, total);
      objectives.labels(model, objective).set(target);
      budget.labels(model, objective).set(remainingBudget(period, target));
      for (const [window, counted] of Object.entries(windows)) {
        burn.labels(model, objective, window).set(burnRate(counted, target));
      }
    }
  });
}

const NONE: Counted = { good: 0, bad: 0 };

/** Of what may fail of the requests that came. 1: nothing has failed. */
export function remainingBudget(period: Counted, target: number): number {
  return 1 - burnRate(period, target);
}

import { beforeEach, describe, expect, it } from 'vitest';
import type { SloObjectives } from '../../base/config/service-level.ts';
import type { ErrorCode } from '../../base/errors/table.ts';
import { type EventReport, NO_EVENTS } from '../../base/telemetry/events.ts';
import { createMetricsRegistry } from '../../base/telemetry/metrics-registry.ts';
import { sumMetrics } from '../../base/telemetry/sum-metrics.ts';
import { createFakeClock, type FakeClock } from '../../base/util/fake-clock.ts';
import type { SloLedger } from './contract.ts';
import { createSloLedger } from './ledger.ts';
import { toSloReport } from './slo-report.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const BOTH: SloObjectives = { availability: 0.999, latency: { thresholdMs: 50, target: 0.99 } };

let clock: FakeClock;
let reports: EventReport[];
let models: { readonly name: string; readonly slo?: SloObjectives }[];
let metrics: ReturnType<typeof createMetricsRegistry>;
let ledger: SloLedger;

beforeEach(() => {
  clock = createFakeClock();
  reports = [];
  models = [{ name: 'm', slo: BOTH }];
  metrics = createMetricsRegistry();
  ledger = create();
});

function create(): SloLedger {
  const events = { report: (event: EventReport) => void reports.push(event) };
  return createSloLedger({ clock, metrics, events, served: () => models });
}

function ask(code: 'OK' | ErrorCode, { times = 1, ms = 1, model = 'm' } = {}): void {
  for (let index = 0; index < times; index += 1) {
    const phases = { decodeNs: 0, queueNs: 0, computeNs: 0, encodeNs: 0 };
    ledger.count({ model, version: '1', route: '/r', code, totalNs: ms * 1e6, ...phases });
  }
}

function take(): readonly string[] {
  return reports.splice(0).map(({ type, part, level }) => `${type} ${part} ${level ?? ''}`.trim());
}

function standing(objective: string) {
  return toSloReport([ledger.read()]).find((one) => one.objective === objective);
}

describe('the ledger', () => {
  it('counts what was answered, refused or failed, and leaves out mistakes of clients', () => {
    ask('OK', { times: 96 });
    for (const code of ['OVERLOADED', 'DEADLINE_EXCEEDED', 'ENGINE_CRASHED', 'CIRCUIT_OPEN'] as const)
      ask(code);
    for (const code of ['INVALID_INPUT', 'CANCELLED', 'RATE_LIMITED', 'UNAUTHENTICATED'] as const) ask(code);
    ask('MODEL_NOT_FOUND', { model: '' });
    expect(standing('availability')).toMatchObject({
      ...{ model: 'm', target: 0.999, good: 96, bad: 4, ratio: 0.96, state: 'ok' },
      budget: { allowed: 0.1, spent: 4, remaining: -39 },
      burn_rate: { '5m': 40, '3d': 40 },
    });
  });

  it('counts an answer that came too late for latency, and no request that had none', () => {
    ask('OK', { times: 3, ms: 50 });
    ask('OK', { ms: 51 });
    ask('OVERLOADED', { ms: 1 });
    expect(standing('latency')).toMatchObject({ good: 3, bad: 1, target: 0.99, threshold_ms: 50 });
  });

  it('tells of models that nobody has asked, and of none without objectives', () => {
    models = [{ name: 'quiet', slo: { availability: 0.9 } }, { name: 'free' }, { name: 'off', slo: {} }];
    ask('OK', { model: 'free' });
    expect(toSloReport([ledger.read()])).toMatchObject([
      { model: 'quiet', objective: 'availability', good: 0, bad: 0, ratio: null, budget: { remaining: 1 } },
    ]);
  });

  it('adds up what several processes counted', () => {
    ask('OK', { times: 10 });
    const other = createOther();
    other.count(outcome('OVERLOADED'));
    expect(toSloReport([ledger.read(), other.read()])).toMatchObject([
      { objective: 'availability', good: 10, bad: 1, burn_rate: { '1h': expect.closeTo(90.909091) } },
      { objective: 'latency', good: 10, bad: 0 },
    ]);
  });

  it('keeps counts when a target changes, begins anew with another threshold, and forgets a model that is gone', () => {
    ask('OK', { times: 5 });
    models = [{ name: 'm', slo: { availability: 0.9, latency: { thresholdMs: 80, target: 0.5 } } }];
    clock.advance(10_000);
    expect(standing('availability')).toMatchObject({ target: 0.9, good: 5 });
    expect(standing('latency')).toMatchObject({ target: 0.5, threshold_ms: 80, good: 0 });
    models = [];
    clock.advance(10_000);
    expect(ledger.read()).toEqual([]);
    models = [{ name: 'm', slo: BOTH }];
    expect(standing('availability')).toMatchObject({ good: 0 });
  });

  it('leaves no timer behind', () => {
    ask('OK');
    ledger.stop();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('a budget that is spent too fast', () => {
  /** So many minutes with 100 requests each, some of which fail. */
  function pass(minutes: number, failing: number): void {
    for (let minute = 0; minute < minutes; minute += 1) {
      ask('OK', { times: 100 - failing });
      ask('OVERLOADED', { times: failing });
      clock.advance(MINUTE_MS);
    }
  }

  it('goes to a person while it goes on in a big way, and is looked at later for what it has cost', () => {
    pass(600, 0);
    expect(take()).toEqual([]);
    // Everything fails: it shows in the hour after 1.44 % of it.
    pass(1, 100);
    expect(take()).toEqual(['slo-burn availability fast paging']);
    pass(9, 100);
    pass(4, 0);
    expect(take()).toEqual([]);
    // Still 10 of 30 minutes: the six hours and the half hour say so longer than the hour and the five minutes.
    pass(30, 0);
    expect(take()).toEqual(['slo-recovered availability fast', 'slo-burn availability slow degraded']);
    pass(10 * 60, 0);
    expect(take()).toEqual(['slo-recovered availability slow']);
  });

  it('is a matter for working hours where it is slow', () => {
    // One in five hundred: twice what is allowed.
    for (let hour = 0; hour < 6; hour += 1) {
      ask('OK', { times: 2994 });
      ask('ENGINE_FAILED', { times: 6 });
      clock.advance(HOUR_MS);
    }
    expect(take()).toEqual(['slo-burn availability slow degraded']);
  });

  it('is worse when it goes faster, and said so', () => {
    for (let hour = 0; hour < 6; hour += 1) {
      ask('OK', { times: 2994 });
      ask('ENGINE_FAILED', { times: 6 });
      clock.advance(HOUR_MS);
    }
    pass(10, 100);
    expect(take()).toEqual(['slo-burn availability slow degraded', 'slo-burn availability fast paging']);
  });

  it('is not seen in a few failures among few requests', () => {
    ask('OVERLOADED', { times: 9 });
    clock.advance(MINUTE_MS);
    expect(take()).toEqual([]);
    ask('OVERLOADED');
    clock.advance(MINUTE_MS);
    expect(reports[0]?.message).toBe(
      '10 of 10 requests were not answered in the last 1h: 1000 times the rate that an objective of 99.9 % allows, and 1000 times in the last 5m',
    );
    expect(take()).toEqual(['slo-burn availability fast paging']);
  });

  it('is over with the model', () => {
    ask('OK', { times: 20, ms: 1000 });
    clock.advance(10_000);
    models = [];
    clock.advance(10_000);
    expect(take()).toEqual(['slo-burn latency fast paging', 'slo-recovered latency fast']);
  });
});

describe('the metrics', () => {
  it('tell requests, objectives, budgets and burn rates', () => {
    ask('OK', { times: 999 });
    ask('INTERNAL');
    const text = metrics.render();
    expect(text).toContain('nimify_slo_requests_total{model="m",objective="availability",result="bad"} 1\n');
    expect(text).toContain('nimify_slo_requests_total{model="m",objective="latency",result="good"} 999\n');
    expect(text).toContain('nimify_slo_objective_ratio{model="m",objective="availability"} 0.999\n');
    expect(metrics.render()).toContain('result="good"} 999\n');
    // Of several processes: the objective is the same, and not twice as high.
    const sum = sumMetrics([text, text]);
    expect(sum).toContain('nimify_slo_objective_ratio{model="m",objective="availability"} 0.999\n');
    expect(sum).toContain('objective="availability",result="bad"} 2\n');
  });
});

function createOther(): SloLedger {
  return createSloLedger({
    clock,
    metrics: createMetricsRegistry(),
    events: NO_EVENTS,
    served: () => models,
  });
}

function outcome(code: ErrorCode) {
  const phases = { decodeNs: 0, queueNs: 0, computeNs: 0, encodeNs: 0 };
  return { model: 'm', version: '1', route: '/r', code, totalNs: 1e6, ...phases };
}

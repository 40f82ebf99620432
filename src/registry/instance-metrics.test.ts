import { describe, expect, it } from 'vitest';
import type { EventReport } from '../base/telemetry/events.ts';
import { createMetricsRegistry } from '../base/telemetry/metrics-registry.ts';
import { createInstanceMetrics } from './instance-metrics.ts';

function setUp() {
  const metrics = createMetricsRegistry();
  const told: EventReport[] = [];
  const watchModel = createInstanceMetrics(metrics, { report: (event) => void told.push(event) });
  return { metrics, told, watch: watchModel('iris', '1').watchInstance };
}

describe('createInstanceMetrics', () => {
  it('counts ends by reason, and those that are being replaced', () => {
    const { metrics, watch } = setUp();
    const [first, second] = [watch(), watch()];
    first.ended('crashed', { inARow: 1, retryAfterMs: 0 });
    first.ended('crashed', { inARow: 2, retryAfterMs: 80 });
    second.ended('stuck', { inARow: 1, retryAfterMs: 0 });
    second.ended('recycled', { inARow: 1, retryAfterMs: 0 });
    expect(metrics.render()).toContain(
      'nimify_instance_restarts_total{model="iris",version="1",reason="crashed"} 2',
    );
    expect(metrics.render()).toContain('nimify_instances_down{model="iris",version="1"} 2');
    first.replaced();
    expect(metrics.render()).toContain('nimify_instances_down{model="iris",version="1"} 1');
    second.replaced();
    expect(metrics.render()).toContain('nimify_instances_down{model="iris",version="1"} 0');
  });

  it('tells what becomes of each instance, and of a crash loop and its end', () => {
    const { told, watch } = setUp();
    watch();
    const second = watch();
    for (const inARow of [1, 2, 3]) {
      second.ended('crashed', { inARow, retryAfterMs: inARow * 10 });
      second.replaced();
    }
    second.steady();
    second.steady();
    expect(told.map(({ type }) => type)).toEqual([
      ...['instance-crashed', 'instance-replaced', 'instance-crashed', 'instance-replaced'],
      ...['instance-crashed', 'crash-loop', 'instance-replaced', 'crash-loop-ended'],
    ]);
    expect(told[0]).toMatchObject({ model: 'iris', version: '1', part: 'instance 1' });
    expect(told[5]).toMatchObject({ done: 'starts another in 30 ms' });
  });

  it('tells of a process that is stuck, and of one that has grown', () => {
    const { told, watch } = setUp();
    const one = watch();
    for (const reason of ['stuck', 'overdue', 'memory', 'recycled'] as const) {
      one.ended(reason, { inARow: 1, retryAfterMs: 0 });
    }
    expect(told.map(({ type }) => type)).toEqual([
      ...['instance-stuck', 'instance-stuck', 'instance-crashed', 'instance-recycled'],
    ]);
  });
});

import { expect, it } from 'vitest';
import { createMetricsRegistry } from './metrics-registry.ts';
import { registerProcessMetrics } from './process-metrics.ts';

function sampleOf(text: string, sample: string): number {
  const line = text.split('\n').find((one) => one.startsWith(`${sample} `));
  return Number(line?.slice(sample.length + 1));
}

it('tells what the process uses', async () => {
  const metrics = createMetricsRegistry();
  const handle = registerProcessMetrics(metrics, '1.2.3');
  await new Promise((resolve) => setTimeout(resolve, 50));
  const text = metrics.render();
  handle.stop();

  expect(text).toContain(`nimify_build_info{version="1.2.3",node="${process.version}"} 1\n`);
  expect(sampleOf(text, 'process_resident_memory_bytes')).toBeGreaterThan(10e6);
  expect(sampleOf(text, 'nodejs_heap_size_used_bytes')).toBeGreaterThan(1e6);
  expect(sampleOf(text, 'nodejs_heap_size_total_bytes')).toBeGreaterThan(1e6);
  expect(sampleOf(text, 'process_cpu_seconds_total')).toBeGreaterThan(0);
  expect(sampleOf(text, 'process_start_time_seconds')).toBeCloseTo(performance.timeOrigin / 1000, 0);
  expect(sampleOf(text, 'nimify_event_loop_delay_seconds{stat="p99"}')).toBeGreaterThanOrEqual(0);
  expect(sampleOf(text, 'nimify_event_loop_delay_seconds{stat="max"}')).toBeGreaterThanOrEqual(0);
  if (process.platform === 'linux') expect(sampleOf(text, 'process_open_fds')).toBeGreaterThan(2);
});

it('never counts CPU time twice', () => {
  const metrics = createMetricsRegistry();
  const handle = registerProcessMetrics(metrics, '1');
  metrics.render();
  const second = sampleOf(metrics.render(), 'process_cpu_seconds_total');
  handle.stop();
  const { user, system } = process.cpuUsage();
  expect(second).toBeLessThanOrEqual((user + system) / 1e6 + 1e-6);
});

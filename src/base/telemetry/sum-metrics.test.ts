import { describe, expect, it } from 'vitest';
import { createMetricsRegistry } from './metrics-registry.ts';
import { countersOf, sumMetrics } from './sum-metrics.ts';

function process(requests: number, models: readonly string[]) {
  const metrics = createMetricsRegistry();
  metrics.gauge('nimify_build_info', 'Always 1.', ['version']).labels('1 "a"').set(1);
  metrics
    .gauge('process_start_time_seconds', 'Start.')
    .labels()
    .set(1000 + requests);
  metrics.gauge('nimify_memory_ceiling_bytes', 'Ceiling.').labels().set(Number.POSITIVE_INFINITY);
  const counter = metrics.counter('nimify_requests', 'Requests.', ['model']);
  for (const model of models) counter.labels(model).inc(requests);
  const seconds = metrics.histogram('nimify_seconds', 'Time.', [1, 2]).labels();
  for (let i = 0; i < requests; i += 1) seconds.observe(i);
  return metrics.render();
}

describe('sumMetrics', () => {
  it('adds up amounts, and takes the largest or smallest of what is none', () => {
    expect(sumMetrics([process(2, ['a']), process(5, ['b c', 'a'])])).toBe(
      [
        '# HELP nimify_build_info Always 1.',
        '# TYPE nimify_build_info gauge',
        'nimify_build_info{version="1 \\"a\\""} 1',
        '# HELP process_start_time_seconds Start.',
        '# TYPE process_start_time_seconds gauge',
        'process_start_time_seconds 1002',
        '# HELP nimify_memory_ceiling_bytes Ceiling.',
        '# TYPE nimify_memory_ceiling_bytes gauge',
        'nimify_memory_ceiling_bytes +Inf',
        '# HELP nimify_requests_total Requests.',
        '# TYPE nimify_requests_total counter',
        'nimify_requests_total{model="a"} 7',
        'nimify_requests_total{model="b c"} 5',
        '# HELP nimify_seconds Time.',
        '# TYPE nimify_seconds histogram',
        'nimify_seconds_bucket{le="1"} 4',
        'nimify_seconds_bucket{le="2"} 5',
        'nimify_seconds_bucket{le="+Inf"} 7',
        'nimify_seconds_sum 11',
        'nimify_seconds_count 7',
        '',
      ].join('\n'),
    );
  });

  it('leaves those of one process as they are', () => {
    const text = process(3, ['a', 'b']);
    expect(sumMetrics([text])).toBe(text);
  });

  it('adds what a process that has ended counted, and not what it held', () => {
    const left = countersOf(process(3, ['a']));
    expect(left).not.toContain('gauge');
    expect(sumMetrics(['', left, process(2, ['a'])])).toContain('nimify_requests_total{model="a"} 5\n');
    expect(countersOf('')).toBe('');
  });
});

import { describe, expect, it } from 'vitest';
import { createMetricsRegistry } from './metrics-registry.ts';

describe('createMetricsRegistry', () => {
  it('renders counters with _total, HELP and TYPE once', () => {
    const metrics = createMetricsRegistry();
    const family = metrics.counter('app_requests', 'Requests.', ['route', 'code']);
    family.labels('/a', 'OK').inc();
    family.labels('/a', 'OK').inc(2);
    family.labels('/b', 'OK').inc();
    expect(metrics.render()).toBe(
      '# HELP app_requests_total Requests.\n' +
        '# TYPE app_requests_total counter\n' +
        'app_requests_total{route="/a",code="OK"} 3\n' +
        'app_requests_total{route="/b",code="OK"} 1\n',
    );
  });

  it('renders histogram buckets cumulatively, with the bound inside its bucket', () => {
    const metrics = createMetricsRegistry();
    const series = metrics.histogram('app_seconds', 'Time.', [0.1, 1], ['phase']).labels('queue');
    for (const value of [0.05, 0.1, 0.5, 7]) series.observe(value);
    expect(metrics.render().split('\n').slice(2)).toEqual([
      'app_seconds_bucket{phase="queue",le="0.1"} 2',
      'app_seconds_bucket{phase="queue",le="1"} 3',
      'app_seconds_bucket{phase="queue",le="+Inf"} 4',
      'app_seconds_sum{phase="queue"} 7.65',
      'app_seconds_count{phase="queue"} 4',
      '',
    ]);
  });

  it('writes histograms without labels', () => {
    const metrics = createMetricsRegistry();
    metrics.histogram('app_seconds', 'Time.', [1]).labels().observe(2);
    expect(metrics.render()).toContain('app_seconds_bucket{le="1"} 0\n');
    expect(metrics.render()).toContain('app_seconds_sum 2\napp_seconds_count 1\n');
  });

  it('sets and adds gauges, and spells infinities and NaN as the format does', () => {
    const metrics = createMetricsRegistry();
    const gauge = metrics.gauge('app_now', 'Now.', ['k']);
    gauge.labels('a').set(4);
    gauge.labels('a').add(-5);
    gauge.labels('b').set(Number.POSITIVE_INFINITY);
    gauge.labels('c').set(Number.NEGATIVE_INFINITY);
    gauge.labels('d').set(Number.NaN);
    expect(metrics.render()).toContain(
      'app_now{k="a"} -1\napp_now{k="b"} +Inf\napp_now{k="c"} -Inf\napp_now{k="d"} NaN\n',
    );
  });

  it('escapes help and label values', () => {
    const metrics = createMetricsRegistry();
    metrics.gauge('app_now', 'a "b" \\ c\nd', ['k']).labels('x"y\\z\n').set(1);
    expect(metrics.render()).toBe(
      '# HELP app_now a "b" \\\\ c\\nd\n# TYPE app_now gauge\napp_now{k="x\\"y\\\\z\\n"} 1\n',
    );
  });

  it('keeps label values apart however they are spelt', () => {
    const metrics = createMetricsRegistry();
    const family = metrics.counter('app_requests', 'R.', ['a', 'b']);
    family.labels('x,y', 'z').inc();
    family.labels('x', 'y,z').inc(2);
    expect(metrics.render()).toContain('{a="x,y",b="z"} 1\n');
    expect(metrics.render()).toContain('{a="x",b="y,z"} 2\n');
  });

  it('drops what would spoil a series', () => {
    const metrics = createMetricsRegistry();
    const counter = metrics.counter('app_requests', 'R.').labels();
    counter.inc(2);
    counter.inc(-1);
    counter.inc(Number.NaN);
    const histogram = metrics.histogram('app_seconds', 'Time.', [1]).labels();
    histogram.observe(Number.NaN);
    expect(metrics.render()).toContain('app_requests_total 2\n');
    expect(metrics.render()).toContain('app_seconds_count 0\n');
  });

  it('keeps every series when there are more than one chunk holds', () => {
    const metrics = createMetricsRegistry();
    const family = metrics.histogram('app_seconds', 'Time.', [1, 2, 3], ['n']);
    const series = Array.from({ length: 900 }, (_, n) => family.labels(String(n)));
    for (const [n, one] of series.entries()) one.observe(n);
    const text = metrics.render();
    expect(text).toContain('app_seconds_sum{n="0"} 0\n');
    expect(text).toContain('app_seconds_sum{n="899"} 899\n');
    expect(text.match(/app_seconds_count\{n="\d+"\} 1\n/g)).toHaveLength(900);
  });

  it('collects before each render', () => {
    const metrics = createMetricsRegistry();
    const gauge = metrics.gauge('app_now', 'Now.').labels();
    let reads = 0;
    metrics.onCollect(() => gauge.set(++reads));
    expect(metrics.render()).toContain('app_now 1\n');
    expect(metrics.render()).toContain('app_now 2\n');
  });

  it.each([
    ['a name that is no metric name', () => createMetricsRegistry().gauge('9lives', 'x')],
    ['a dash', () => createMetricsRegistry().gauge('a-b', 'x')],
    ['a label name that is none', () => createMetricsRegistry().gauge('a', 'x', ['b-c'])],
    ['a label name of Prometheus', () => createMetricsRegistry().gauge('a', 'x', ['__name__'])],
    ['a label twice', () => createMetricsRegistry().gauge('a', 'x', ['b', 'b'])],
    ['le on a histogram', () => createMetricsRegistry().histogram('a', 'x', [1], ['le'])],
    ['_total on a counter', () => createMetricsRegistry().counter('a_total', 'x')],
    ['no buckets', () => createMetricsRegistry().histogram('a', 'x', [])],
    ['descending buckets', () => createMetricsRegistry().histogram('a', 'x', [2, 1])],
    ['an infinite bucket', () => createMetricsRegistry().histogram('a', 'x', [1, Number.POSITIVE_INFINITY])],
    ['too few label values', () => createMetricsRegistry().gauge('a', 'x', ['b', 'c']).labels('1')],
  ])('refuses %s', (_, register) => {
    expect(register).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
  });

  it('refuses a name that is taken, also by the parts of a histogram', () => {
    const metrics = createMetricsRegistry();
    metrics.counter('app_requests', 'R.');
    metrics.histogram('app_seconds', 'T.', [1]);
    expect(() => metrics.counter('app_requests', 'R.')).toThrow(/app_requests_total is registered twice/);
    expect(() => metrics.gauge('app_requests_total', 'R.')).toThrow(/twice/);
    expect(() => metrics.gauge('app_seconds_count', 'T.')).toThrow(/app_seconds_count is registered twice/);
  });
});

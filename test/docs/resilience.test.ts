import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { BREAKER, BULKHEAD, EJECTION, HEDGE, RETRY } from '../../src/base/config/policies.ts';
import type { Problem } from '../../src/base/config/problem.ts';
import { readFileSettings } from '../../src/base/config/read-file.ts';
import { createMetricsRegistry } from '../../src/base/telemetry/metrics-registry.ts';
import { createBreakerMetric, createPolicyMetrics } from '../../src/registry/policy-metrics.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/resilience.md'), 'utf8');

it('docs/resilience.md names every metric of the policies', () => {
  const metrics = createMetricsRegistry();
  createPolicyMetrics(metrics);
  createBreakerMetric(metrics, { list: () => [] });
  const names = [...metrics.render().matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!);
  expect(names.length).toBeGreaterThan(8);
  for (const name of names) expect(PAGE).toContain(`\`${name}\``);
});

it('docs/resilience.md names every field of the policies', () => {
  for (const { schema } of [BREAKER, RETRY, HEDGE, EJECTION, BULKHEAD]) {
    const fields = JSON.stringify(schema).match(/(?<="properties":)\{.*\}/)?.[0] ?? '';
    const names = [...fields.matchAll(/"(\w+)":\{/g)].map(([, name]) => name!);
    expect(names.length).toBeGreaterThan(1);
    for (const name of names) expect(PAGE).toContain(`\`${name}\``);
  }
});

it('the examples of docs/resilience.md are configurations that nimify takes', async () => {
  for (const { 1: yaml = '' } of PAGE.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)) {
    const problems: Problem[] = [];
    await readFileSettings(yaml, 'docs/resilience.md', problems);
    expect(problems).toEqual([]);
  }
});

import { describe, expect, it } from 'vitest';
import { OBJECTIVE, objectiveText } from './objective.ts';

describe('a latency objective', () => {
  it.each([
    ['p99 < 50ms', 99, 50],
    ['p95<1s', 95, 1000],
    ['P99.9 <= 2.5 ms', 99.9, 2.5],
    ['p50 < 800us', 50, 0.8],
    ['50ms', 99, 50],
  ])('reads %j', (text, percentile, latencyMs) => {
    expect(OBJECTIVE.fromText(text)).toEqual({ percentile, latencyMs });
    expect(OBJECTIVE.fromValue(text)).toEqual({ percentile, latencyMs });
  });

  it.each([
    '',
    '50',
    'p99',
    'p99 50ms',
    'p99 > 50ms',
    'p40 < 50ms',
    'p100 < 5ms',
    '0ms',
    '-1ms',
    '1e3ms',
    '2h',
  ])('refuses %j', (text) => {
    expect(OBJECTIVE.fromText(text)).toBeUndefined();
  });

  it('takes one that was read already', () => {
    const objective = { percentile: 95, latencyMs: 20 };
    expect(OBJECTIVE.fromValue(objective)).toEqual(objective);
  });

  it.each([
    50,
    null,
    [],
    { percentile: 99 },
    { percentile: 100, latencyMs: 5 },
    { percentile: 99, latencyMs: 0 },
  ])('refuses %j', (value) => {
    expect(OBJECTIVE.fromValue(value)).toBeUndefined();
  });

  it('is written so that it reads the same again', () => {
    const objective = { percentile: 99.9, latencyMs: 2.5 };
    expect(OBJECTIVE.fromText(objectiveText(objective))).toEqual(objective);
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { scheduleOf } from '../../bench/harness/batching/arrivals.mjs';

const folder = mkdtempSync(join(tmpdir(), 'nimify-arrivals-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(['poisson', 'gamma'])('%s arrivals', (kind) => {
  const wanted = { kind, ratePerSecond: 2000, seconds: 10, seed: 3 };

  it('come in order, at the wanted rate, the same for the same seed', () => {
    const times = scheduleOf(wanted);
    expect(times).toHaveLength(20_000);
    expect(times.at(-1)).toBeCloseTo(10_000, 3);
    expect(Float64Array.from(times).sort()).toEqual(times);
    expect(scheduleOf(wanted)).toEqual(times);
    expect(scheduleOf({ ...wanted, seed: 4 })).not.toEqual(times);
  });

  it('vary as much as they are said to', () => {
    const times = scheduleOf(wanted);
    const gaps = times.map((time, index) => time - (times[index - 1] ?? 0));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
    expect(Math.sqrt(variance) / mean).toBeCloseTo(kind === 'gamma' ? 2 : 1, 0);
  });
});

it('plays a recording at the wanted rate, from its start again where it ends', () => {
  const trace = join(folder, 'trace.csv');
  const seconds = [1, 2, 4, 8];
  const lines = seconds.map((second) => `2023-11-16 18:15:0${second}.0000000,1,1`);
  writeFileSync(trace, ['TIMESTAMP,A,B', ...lines, ''].join('\n'));
  const times = scheduleOf({ kind: 'trace', ratePerSecond: 6, seconds: 1, seed: 1, trace });
  const gaps = Array.from(times, (time, index) => Math.round(time - (times[index - 1] ?? 0)));
  // Gaps of 1, 2 and 4 s, twice, within a second.
  expect(gaps.toSorted((a, b) => a - b)).toEqual([71, 71, 143, 143, 286, 286]);
});

it('knows no others', () => {
  expect(() => scheduleOf({ kind: 'regular', ratePerSecond: 1, seconds: 1, seed: 1 })).toThrow('regular');
});

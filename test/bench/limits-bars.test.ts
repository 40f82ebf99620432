import { describe, expect, it } from 'vitest';
import { judgeLimits } from '../../bench/harness/limits/bars.mjs';
import { judgeTimes } from '../../bench/harness/limits/verdict.mjs';

it('has not measured what was left out', () => {
  const verdicts = judgeLimits({ parts: [] }).map(({ verdict }) => verdict);
  expect(verdicts.length).toBeGreaterThan(20);
  expect(new Set(verdicts)).toEqual(new Set(['not measured']));
});

describe('times another server', () => {
  const runs = (...perSecond: number[]) => perSecond.map((one) => ({ perSecond: one, cpuUsPerRequest: 10 }));
  const slower = (...perSecond: number[]) =>
    perSecond.map((one) => ({ perSecond: one, cpuUsPerRequest: 40 }));

  it('are of the same round, and told with the spread', () => {
    const bar = judgeTimes({
      ...{ what: 'x', bar: 3, ours: runs(40, 20, 44), again: runs(40, 20, 44), theirs: slower(10, 5, 10) },
    });
    expect(bar).toMatchObject({ verdict: 'met', measured: { median: 4, min: 4, max: 4.4 } });
  });

  it('are judged by CPU time where nimify differs from itself by as much', () => {
    const ours = { what: 'x', bar: 3, ours: runs(29, 29, 29), theirs: slower(10, 10, 10) };
    const quiet = judgeTimes({ ...ours, again: runs(29, 29.1, 29) });
    expect(quiet.verdict).toBe('missed');
    const noisy = judgeTimes({ ...ours, again: runs(32, 26, 32) });
    expect(noisy).toMatchObject({ verdict: 'met', measured: { median: 4 } });
    expect(noisy.what).toContain('by CPU time: 2.90 x');
    const idle = judgeTimes({ ...ours, again: runs(32, 26, 32), isBusy: false });
    expect(idle.verdict).toBe('missed');
  });
});

it('holds a request above its floor, each round by itself', () => {
  const cost = (server: string, ...us: number[]) => loads({ server, connections: 64 }, 'cpuUsPerRequest', us);
  const part = (us: number[]) => ({
    name: 'own-cost',
    runs: [
      ...cost('nimify-unbatched', ...us),
      ...cost('nimify-unbatched-again', ...us.map((one) => one + 1)),
      ...cost('floor-tcp-run', 10, 20, 30),
    ],
  });
  expect(barOf(part([17, 27, 37]), 'above bare node:net')).toMatchObject({
    verdict: 'met',
    measured: { median: 7, min: 7, max: 7 },
  });
  expect(barOf(part([19, 29, 37]), 'above bare node:net').verdict).toBe('missed');
  expect(barOf(part([19, 29, 37]), 'above bare node:net').what).toContain('A/A 1.0 µs');
});

it('holds the p99 against as many rows of the bare engine as are in flight', () => {
  const part = (p99Ms: number) => ({
    name: 'compute',
    runs: loads({ model: 'encoder', server: 'nimify', connections: 64 }, 'p99Us', [p99Ms * 1000]),
    // 64 rows take 320 ms.
    raw: [{ model: 'encoder', perSecond: 200, rows: 8, threads: 1 }],
  });
  expect(barOf(part(350), 'encoder, binary: p99').verdict).toBe('met');
  expect(barOf(part(400), 'encoder, binary: p99').verdict).toBe('missed');
});

it('finds second copies of the weights, and holds nobody to those of a session for each run', () => {
  const memory = (asked: string, one: number, four: number) =>
    [one, four].map((pssBytes, at) => ({
      ...{ asked, pssBytes, atOnce: at === 0 ? 1 : 4, fileBytes: 90, round: 0, failed: 0 },
    }));
  const part = (...held: object[]) => ({ name: 'weights', memory: held });
  expect(barOf(part(...memory('auto', 200, 240)), 'host auto').verdict).toBe('met');
  expect(barOf(part(...memory('auto', 200, 291)), 'host auto').verdict).toBe('missed');
  expect(barOf(part(...memory('thread', 200, 500)), 'host thread').verdict).toBe('beside it');
});

it('subtracts the bare server from starts and memory at rest', () => {
  const starts = (server: string, firstAnswerMs: number, megabytes: number) => ({
    ...{ model: 'own_iris_rf', server, firstAnswerMs, idlePssBytes: megabytes * 1e6 },
  });
  const startUps = [starts('nimify', 180, 70), starts('nimify-again', 170, 70), starts('node-http', 130, 50)];
  const part = { name: 'start', startUps };
  expect(barOf(part, 'idle memory')).toMatchObject({ verdict: 'missed', measured: { median: 20 } });
  expect(barOf(part, 'own_iris_rf: process start')).toMatchObject({
    verdict: 'missed',
    measured: { median: 50 },
  });
});

it('sees memory grow, though not while a process fills its pools', () => {
  const flat = (rssAt: (second: number) => number) => ({
    name: 'flat',
    flat: {
      requests: 10_000_000,
      samples: Array.from({ length: 300 }, (_, second) => ({ second, rssBytes: rssAt(second) * 2 ** 20 })),
    },
  });
  expect(
    barOf(
      flat((second) => Math.min(100, 50 + second)),
      'growth',
    ).verdict,
  ).toBe('met');
  expect(
    barOf(
      flat((second) => 100 + second / 5),
      'growth',
    ).verdict,
  ).toBe('missed');
});

function barOf(part: object, words: string) {
  const found = judgeLimits({ parts: [part] }).find(({ what }) => what.includes(words));
  expect(found, words).toBeDefined();
  return found!;
}

function loads(of: object, field: string, values: readonly number[]): object[] {
  return values.map((value, round) => ({ ...of, round, failed: 0, [field]: value }));
}

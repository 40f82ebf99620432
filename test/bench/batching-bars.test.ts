import { expect, it } from 'vitest';
import { judgeBatchingBars } from '../../bench/harness/batching/bars.mjs';
import { leastMissed } from '../../bench/harness/batching/least-missed.mjs';

const MODEL = { name: 'm', peaks: { nimify: 100 }, objectiveMs: 50 };

it('has not measured what is not there', () => {
  const verdicts = judgeBatchingBars({ models: [MODEL], runs: [] }).map(({ verdict }) => verdict);
  expect(verdicts).toEqual(verdicts.map(() => 'not measured'));
});

it('holds overload against the peak, the objective and the time that a refusal may take', () => {
  const good = overload({ goodPerSecond: [95], p99Us: 40_000, refusalP99Us: 2000 });
  expect(verdictsOf('300 %', [good])).toEqual(['met', 'met', 'met']);
  const bad = overload({ goodPerSecond: [80], p99Us: 60_000, refusalP99Us: 6000 });
  expect(verdictsOf('300 %', [bad])).toEqual(['missed', 'missed', 'missed']);
  const none = overload({ goodPerSecond: [95], p99Us: 40_000, refusalP99Us: Number.NaN });
  expect(verdictsOf('300 %', [none])).toEqual(['met', 'met', 'not measured']);
});

it('holds goodput against the throughput just before, where that was measured', () => {
  const good = { p99Us: 40_000, refusalP99Us: 2000, goodPerSecond: [60] };
  const slow = run('nimify', 'peak', { round: 1, connections: 64, perSecond: 62 });
  expect(verdictsOf('goodput', [overload({ ...good, round: 1 })])).toEqual(['missed']);
  expect(verdictsOf('goodput', [overload({ ...good, round: 1 }), slow])).toEqual(['met']);
  expect(verdictsOf('goodput', [overload({ ...good, round: 2 }), slow])).toEqual(['missed']);
});

it('holds nimify against the best pair, and allows for the A/A run', () => {
  const grid = (server: string, perSecond: number) => run(server, 'grid', { connections: 64, perSecond });
  const pairs = [grid('8@0ms', 90), grid('32@0ms', 100)];
  const quiet = [grid('nimify', 90), grid('nimify-again', 90)];
  expect(verdictsOf('64 in flight', [...pairs, ...quiet])).toEqual(['missed']);
  const noisy = [grid('nimify', 90), grid('nimify-again', 101)];
  expect(verdictsOf('64 in flight', [...pairs, ...noisy])).toEqual(['met']);
});

it('compares the rounds of the low load with their like', () => {
  const low = (server: string, round: number, p50Ms: number) =>
    run(server, 'grid', { share: 0.2, round, p50Us: p50Ms * 1000, meanUs: 1 });
  const runs = [low('nimify', 0, 1.2), low('nimify', 1, 9.2)];
  const beside = [low('nimify-unbatched', 0, 1), low('nimify-unbatched', 1, 9)];
  expect(verdictsOf('added', [...runs, ...beside])).toEqual(['met']);
});

it('counts what expired as refused', () => {
  const open = (refusedShare: number, expiredShare: number) =>
    run('nimify', 'refusals', { refusedShare, expiredShare });
  expect(verdictsOf('refused', [open(0.0005, 0)])).toEqual(['met']);
  expect(verdictsOf('refused', [open(0.0005, 0.001)])).toEqual(['missed']);
});

it('names beside it what the best pair came to, late answers counted, and what nobody can do without', () => {
  const open = (server: string, refusedShare: number, good: number) =>
    run(server, 'refusals', {
      ...{ refusedShare, expiredShare: 0, due: 1000, durationUs: 2e6 },
      goodPerSecond: [good, good],
    });
  const runs = [open('nimify', 0.02, 488), open('8@0ms', 0.01, 485), open('32@0ms', 0, 490)];
  const engineAlone = [{ missedShare: 0.031 }, { missedShare: 0.012 }, { missedShare: 0.013 }];
  const models = [{ ...MODEL, leastMissedShares: [0.004], engineAlone }];
  const bar = judgeBatchingBars({ models, runs }).find(({ what }) => what.includes('refused or expired'));
  expect(bar).toMatchObject({
    what: 'm, 80 %: refused or expired (not in time 2.40 %, of the best pair (32@0ms) 2.00 %, of nobody less than 0.40 %, of the bare engine without a server 1.30 %)',
    verdict: 'missed',
  });
});

it('finds what cannot be answered in time at the peak of a server, without the ramp', () => {
  const at = { objectiveMs: 10, peak: 500, bareRunUs: 5000 };
  // Two rows take the 5 ms of one, five take 10.
  const burst = (count: number) => Float64Array.from([0, ...Array(count).fill(1000)]);
  expect(leastMissed({ ...at, schedule: burst(5), rampSeconds: 0.5 })).toBe(0);
  expect(leastMissed({ ...at, schedule: burst(8), rampSeconds: 0.5 })).toBe(3 / 8);
});

function verdictsOf(part: string, runs: readonly object[]): string[] {
  return judgeBatchingBars({ models: [MODEL], runs })
    .filter(({ what }) => what.includes(part))
    .map(({ verdict }) => verdict);
}

function overload(measured: object) {
  return run('nimify', 'overload', measured);
}

function run(server: string, scenario: string, measured: object) {
  return { model: 'm', server, scenario, round: 0, ...measured };
}

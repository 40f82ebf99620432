import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseSetting, frontierOf, rateSettings } from './choose.ts';
import type { Batching, Plan, Point } from './contract.ts';

const plan: Plan = { host: 'thread', instances: 2, intraOpThreads: 1 };

function point(throughputPerS: number, asked: number, more: Partial<Point> = {}): Point {
  return {
    setting: { plan, batching: 'off' },
    load: { kind: 'closed', clients: 1 },
    ...{ answers: 100, refused: 0, throughputPerS, memoryBytes: 1e8 },
    latencyMs: { p50: asked / 2, p99: asked, asked },
    ...more,
  };
}

describe('frontierOf', () => {
  it('has each trade between throughput and latency once, and nothing that another beats at both', () => {
    const best = [point(10, 1), point(50, 4), point(90, 20)];
    expect(frontierOf([point(40, 5), best[2]!, point(90, 30), best[0]!, point(5, 1), best[1]!])).toEqual(
      best,
    );
  });

  it('beats or equals every point that there is', () => {
    const some = fc.record({ per: fc.integer({ min: 1, max: 50 }), ms: fc.integer({ min: 1, max: 50 }) });
    fc.assert(
      fc.property(fc.array(some), (facts) => {
        const points = facts.map(({ per, ms }) => point(per, ms));
        const frontier = frontierOf(points);
        for (const one of points) {
          const beats = (other: Point) =>
            other.throughputPerS >= one.throughputPerS && other.latencyMs.asked <= one.latencyMs.asked;
          expect(frontier.some(beats)).toBe(true);
        }
        for (let at = 1; at < frontier.length; at++) {
          expect(frontier[at]!.throughputPerS).toBeGreaterThan(frontier[at - 1]!.throughputPerS);
          expect(frontier[at]!.latencyMs.asked).toBeGreaterThan(frontier[at - 1]!.latencyMs.asked);
        }
      }),
    );
  });
});

describe('the choice', () => {
  const settingOf = (batching: Batching) => ({ setting: { plan, batching } });
  const auto = settingOf('auto');
  const sized = settingOf({ maxBatchSize: 8, maxDelayMs: 0 });
  const windowed = settingOf({ maxBatchSize: 8, maxDelayMs: 2 });
  const choose = (points: readonly Point[], limitMs = Number.POSITIVE_INFINITY) =>
    chooseSetting(rateSettings(points, limitMs), 'throughput')?.setting;

  it('is the simpler one of two that are alike', () => {
    const alike = [point(104, 5, windowed), point(103, 5, sized), point(100, 5, auto)];
    expect(choose(alike)).toBe(auto.setting);
    expect(choose([point(120, 5, windowed), ...alike.slice(1)])).toBe(windowed.setting);
  });

  it('counts of a setting only what is within the limit, and nothing that is refused', () => {
    const points = [
      point(50, 4, auto),
      point(200, 40, auto),
      point(90, 9, sized),
      point(99, 9, { ...windowed, refused: 5 }),
    ];
    expect(choose(points, 10)).toBe(sized.setting);
    expect(choose(points)).toBe(auto.setting);
    expect(choose(points, 1)).toBeUndefined();
  });
});

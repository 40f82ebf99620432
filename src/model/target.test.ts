import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TARGETS, type Target } from '../base/config/options.ts';
import { bestFor, type Rating, scoreOf, weightsOf } from './target.ts';

const WAY: Rating = { latencyNs: 2e6, throughputPerS: 1000, memoryBytes: 2e8, cores: 2 };
const quick = { ...WAY, latencyNs: 1e6, throughputPerS: 800 };
const small = { ...WAY, memoryBytes: 1e8, throughputPerS: 700 };
const single = { ...WAY, cores: 1, throughputPerS: 800 };

describe('weights', () => {
  it('add up to 1', () => {
    for (const target of TARGETS) {
      const sum = Object.values(weightsOf(target)).reduce((total, weight) => total + weight, 0);
      expect(sum).toBeCloseTo(1, 12);
    }
  });
});

describe('bestFor', () => {
  it.each<[Target, Rating]>([
    ['latency', quick],
    ['throughput', WAY],
    ['memory', small],
    ['cost', single],
  ])('%s takes what is best at that', (target, best) => {
    const ways = [WAY, quick, small, single];
    expect(bestFor(ways, { target, margin: 0.01, rate: (way) => way })).toBe(best);
  });

  it('takes latency for throughput where the one gains more than the other costs', () => {
    const options = { target: 'balanced', margin: 0.1, rate: (way: Rating) => way } as const;
    expect(bestFor([WAY, { ...WAY, latencyNs: 1e6, throughputPerS: 800 }], options)).toBe(WAY);
    const far = { ...WAY, latencyNs: 1e6, throughputPerS: 990 };
    expect(bestFor([WAY, far], options)).toBe(far);
  });

  it('stays with the preferred one where another is not better by the margin', () => {
    const slightly = { ...WAY, throughputPerS: 1050 };
    expect(bestFor([WAY, slightly], { target: 'throughput', margin: 0.1, rate: (way) => way })).toBe(WAY);
    expect(bestFor([WAY, slightly], { target: 'throughput', margin: 0.01, rate: (way) => way })).toBe(
      slightly,
    );
    expect(bestFor([], { target: 'cost', margin: 0, rate: (way: Rating) => way })).toBeUndefined();
  });

  it('never takes one that another beats at everything', () => {
    const positive = fc.double({ min: 1, max: 1e9, noNaN: true });
    const rating = fc.record({
      ...{ latencyNs: positive, throughputPerS: positive, memoryBytes: positive, cores: positive },
    });
    fc.assert(
      fc.property(
        fc.constantFrom(...TARGETS),
        rating,
        fc.double({ min: 1.01, max: 9, noNaN: true }),
        (target, way, by) => {
          const better = {
            latencyNs: way.latencyNs / by,
            throughputPerS: way.throughputPerS * by,
            memoryBytes: way.memoryBytes / by,
            cores: way.cores / by,
          };
          expect(scoreOf(better, target)).toBeGreaterThan(scoreOf(way, target));
          expect(bestFor([way, better], { target, margin: 0, rate: (one) => one })).toBe(better);
        },
      ),
    );
  });
});

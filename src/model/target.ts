import type { Target } from '../base/config/options.ts';

/** How much each side of a choice counts. They add up to 1. */
export interface Weights {
  readonly latency: number;
  readonly throughput: number;
  readonly memory: number;
  readonly cores: number;
}

/**
 * `balanced` leans to throughput: under load an answer waits for others, so that throughput shortens it too. `cost`
 * takes cores that raise throughput, where twice as many give half as much again.
 */
const WEIGHTS: Readonly<Record<Target, Weights>> = {
  latency: { latency: 1, throughput: 0, memory: 0, cores: 0 },
  throughput: { latency: 0, throughput: 1, memory: 0, cores: 0 },
  balanced: { latency: 1 / 3, throughput: 2 / 3, memory: 0, cores: 0 },
  memory: { latency: 0.1, throughput: 0.2, memory: 0.7, cores: 0 },
  cost: { latency: 0, throughput: 0.5, memory: 0.2, cores: 0.3 },
};

export function weightsOf(target: Target): Weights {
  return WEIGHTS[target];
}

/** What one way to run a model gives and takes; every number is above 0. */
export interface Rating {
  readonly latencyNs: number;
  readonly throughputPerS: number;
  readonly memoryBytes: number;
  readonly cores: number;
}

/**
 * How good a way is for a target: the weighted mean of the logarithms, so that what counts are ratios, and no side's
 * unit matters. A way that is better by 0.1 is better by a tenth.
 */
export function scoreOf(rating: Rating, target: Target): number {
  const { latency, throughput, memory, cores } = WEIGHTS[target];
  return (
    throughput * Math.log(rating.throughputPerS) -
    latency * Math.log(rating.latencyNs) -
    memory * Math.log(rating.memoryBytes) -
    cores * Math.log(rating.cores)
  );
}

/**
 * The best for a target. One that stands further down has to be better by `margin` than those above it, since what was
 * measured is known no better than that; so the preferred stands first.
 * @returns undefined where there is none
 */
export function bestFor<T>(
  ways: readonly T[],
  { target, margin, rate }: { target: Target; margin: number; rate: (way: T) => Rating },
): T | undefined {
  let best: { readonly way: T; readonly score: number } | undefined;
  for (const way of ways) {
    const score = scoreOf(rate(way), target);
    if (best === undefined || score > best.score + margin) best = { way, score };
  }
  return best?.way;
}

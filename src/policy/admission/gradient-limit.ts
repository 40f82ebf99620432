/** How many requests may be in flight: learned from how long they take. */
export interface GradientLimit {
  /** Requests that may be in flight now; whole. */
  readonly limit: number;
  /** Time that requests take lately, in nanoseconds; 0 before there were any. */
  readonly recentNs: number;
  /** A request took `ns` and was one of `inFlight` when it came (itself counted). */
  observe(nowNs: number, ns: number, inFlight: number): void;
}

export interface GradientLimitOptions {
  /** The limit never goes below: what keeps every slot busy. Asked anew at each step, since it is learned. */
  readonly minLimit: () => number;
  /** Nor above; where it starts. */
  readonly maxLimit: number;
  /** How many times the time without a queue may be exceeded before the limit shrinks. Default 2. */
  readonly tolerance?: number;
  /** Part of the way to the new limit that one step goes. Default 0.5. */
  readonly smoothing?: number;
}

/** A step is made after this many requests, and not before this time. */
const STEP_REQUESTS = 64;
const STEP_NS = 100e6;
/** The limit shrinks by no more than this in a step. */
const LEAST_GRADIENT = 0.5;
/** Where no queue stands, the limit grows by this factor. */
const GROWTH = 1.5;
/** Part of the way that the time without a queue follows what is seen at low concurrency. */
const BASE_STEP = 0.1;

/**
 * A limit on concurrency after Gradient2 of Netflix's concurrency-limits (README of the project; its forebear is TCP
 * Vegas: L. Brakmo and L. Peterson, 1995): the limit follows the ratio of the time that requests take without a queue
 * to the time that they take now, plus room for a queue of its square root. It differs in what it compares:
 *
 * - now: the least time of a step, not the mean. Below capacity bursts queue too, but their queue runs empty within a
 *   step; only a queue that stands all the time shows overload (K. Nichols and V. Jacobson, Controlling Queue Delay,
 *   ACM Queue 10(5), 2012).
 * - without a queue: learned only from requests that came while no more than `minLimit` were in flight, or that were
 *   faster. A long-term mean would take up the queue of a lasting overload, and the limit would creep up with it. If
 *   the model itself becomes slower, the limit falls to the minimum, and there the new time is learned.
 */
export function createGradientLimit(options: GradientLimitOptions): GradientLimit {
  const { minLimit, maxLimit, tolerance = 2, smoothing = 0.5 } = options;
  let limit = maxLimit;
  let baseNs = 0;
  let recentNs = 0;
  let leastNs = Number.POSITIVE_INFINITY;
  let mostInFlight = 0;
  let requests = 0;
  let stepSinceNs = 0;

  function step(nowNs: number): void {
    const minimum = Math.min(maxLimit, minLimit());
    const isStanding = leastNs > baseNs * tolerance;
    // A limit far above what is in flight says nothing: begin from what is there.
    const from = isStanding ? Math.min(limit, mostInFlight) : limit;
    const gradient = Math.max(LEAST_GRADIENT, (baseNs * tolerance) / leastNs);
    const wanted = isStanding ? from * gradient + Math.sqrt(from) : grown(minimum);
    limit = Math.max(minimum, Math.min(maxLimit, from + (wanted - from) * smoothing));
    leastNs = Number.POSITIVE_INFINITY;
    mostInFlight = 0;
    requests = 0;
    stepSinceNs = nowNs;
  }

  /** Not where so few were in flight that the limit did not count. */
  function grown(minimum: number): number {
    return mostInFlight < limit / 2 ? limit : Math.max(minimum, limit) * GROWTH + Math.sqrt(limit);
  }

  return {
    get limit() {
      return Math.max(1, Math.floor(Math.max(limit, Math.min(maxLimit, minLimit()))));
    },
    get recentNs() {
      return recentNs;
    },
    observe(nowNs, ns, inFlight) {
      recentNs = recentNs === 0 ? ns : recentNs + (ns - recentNs) * BASE_STEP;
      if (baseNs === 0) baseNs = ns;
      else if (ns < baseNs || inFlight <= minLimit()) baseNs += (ns - baseNs) * BASE_STEP;
      if (requests === 0 && stepSinceNs === 0) stepSinceNs = nowNs;
      requests++;
      leastNs = Math.min(leastNs, ns);
      mostInFlight = Math.max(mostInFlight, inFlight);
      if (requests >= STEP_REQUESTS && nowNs - stepSinceNs >= STEP_NS) step(nowNs);
    },
  };
}

import type { Clock } from '../../base/util/clock.ts';

export interface OutlierOptions {
  /** Failures in a row after which a member is ejected. Default 5. */
  readonly consecutiveErrors?: number;
  /** Members are compared over so long. Default 5000. */
  readonly intervalMs?: number;
  /** A member is compared where it had as many calls in that time. Default 20. */
  readonly minCalls?: number;
  /** Ejected too where its mean call takes so many times as long as the others'. Default 4. */
  readonly latencyFactor?: number;
  /** Time of a first ejection; each further one takes as much longer. Default 2000. */
  readonly ejectionMs?: number;
  /** Default 10 000. */
  readonly maxEjectionMs?: number;
  /** Most members that are ejected at once, as a share; one may always be. Default 0.5. */
  readonly maxShare?: number;
  /** Where fewer of the members than this share are well, ejection is passed over: some answer is better than none. Default 0.5. */
  readonly panicShare?: number;
}

export type EjectionReason = 'errors' | 'success-rate' | 'latency';

export interface OutlierListener {
  ejected(member: number, reason: EjectionReason, forMs: number): void;
  restored(member: number): void;
}

/** Which of several members do worse than the others. */
export interface Outliers {
  readonly ejected: number;
  /** How many are ejected may change by asking: time passes. */
  isEjected(member: number): boolean;
  /** A call ended. */
  ended(member: number, ns: number, isFault: boolean): void;
}

/** Standard deviations by which a share of failures has to differ: by chance that happens once in 700. */
const DEVIATIONS = 3;
/** Less does not matter, however sure it is. */
const LEAST_DIFFERENCE = 0.1;
const LEAST_DIFFERENCE_NS = 5e6;

/**
 * Outlier ejection as in Envoy (docs, "Outlier detection"): a member that fails many times in a row, more often than the
 * others, or is much slower gets nothing for a while. Members are few here, so that each is compared with the mean of the
 * others, by a test of two proportions, instead of with a deviation among all.
 */
export function createOutliers(
  { clock, listener }: { readonly clock: Clock; readonly listener?: OutlierListener },
  count: number,
  options: OutlierOptions = {},
): Outliers {
  const { consecutiveErrors = 5, intervalMs = 5000, minCalls = 20, latencyFactor = 4 } = options;
  const { ejectionMs = 2000, maxEjectionMs = 10_000, maxShare = 0.5 } = options;
  const most = Math.min(count - 1, Math.max(1, Math.floor(maxShare * count)));
  const calls = new Float64Array(count);
  const faults = new Float64Array(count);
  const sumNs = new Float64Array(count);
  const inRow = new Uint32Array(count);
  const times = new Uint32Array(count);
  /** 0: not ejected. */
  const untilNs = new Float64Array(count);
  let ejected = 0;
  let sinceNs = clock.nowNs();

  function eject(member: number, reason: EjectionReason): void {
    if (untilNs[member] !== 0 || ejected >= most) return;
    times[member]! += 1;
    const forMs = Math.min(maxEjectionMs, ejectionMs * times[member]!);
    untilNs[member] = clock.nowNs() + forMs * 1e6;
    inRow[member] = 0;
    ejected += 1;
    listener?.ejected(member, reason, forMs);
  }

  function restore(member: number): void {
    untilNs[member] = 0;
    ejected -= 1;
    listener?.restored(member);
  }

  function compare(): void {
    const sum = (of: Float64Array) => of.reduce((total, each) => total + each, 0);
    const [allCalls, allFaults, allNs] = [sum(calls), sum(faults), sum(sumNs)];
    for (let member = 0; member < count; member++) {
      const own = calls[member]!;
      const others = allCalls - own;
      if (own < minCalls || others < minCalls) continue;
      const rate = faults[member]! / own;
      const rateOfOthers = (allFaults - faults[member]!) / others;
      const all = allFaults / allCalls;
      const deviation = Math.sqrt(all * (1 - all) * (1 / own + 1 / others));
      if (rate - rateOfOthers > Math.max(LEAST_DIFFERENCE, DEVIATIONS * deviation))
        eject(member, 'success-rate');
      const meanNs = sumNs[member]! / own;
      const meanOfOthersNs = (allNs - sumNs[member]!) / others;
      if (meanNs > latencyFactor * meanOfOthersNs && meanNs - meanOfOthersNs > LEAST_DIFFERENCE_NS)
        eject(member, 'latency');
      else if (untilNs[member] === 0 && times[member]! > 0) times[member]! -= 1;
    }
    calls.fill(0);
    faults.fill(0);
    sumNs.fill(0);
  }

  return {
    get ejected() {
      return ejected;
    },
    isEjected(member) {
      if (untilNs[member] === 0) return false;
      if (clock.nowNs() < untilNs[member]!) return true;
      restore(member);
      return false;
    },
    ended(member, ns, isFault) {
      calls[member]! += 1;
      sumNs[member]! += ns;
      if (isFault) {
        faults[member]! += 1;
        inRow[member]! += 1;
        if (inRow[member]! >= consecutiveErrors) eject(member, 'errors');
      } else inRow[member] = 0;
      const nowNs = clock.nowNs();
      if (nowNs - sinceNs < intervalMs * 1e6) return;
      sinceNs = nowNs;
      compare();
    },
  };
}

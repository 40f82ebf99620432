import { PERIOD_MS, WINDOWS, type WindowName } from './burn-rates.ts';
import type { Counted } from './contract.ts';

/** Good and bad requests of the last so long, for each window and for the period. */
export interface WindowCounts {
  good(): void;
  bad(): void;
  /** Keeps what has been counted up to now; to be called at least every `STEP_MS`. */
  advance(nowMs: number): void;
  /** At most a step of its ring longer than asked for. */
  sum(windowMs: number): Counted;
  windows(): Readonly<Record<WindowName, Counted>>;
  /** Since it was made. */
  readonly total: Counted;
}

export const STEP_MS = 10_000;

/** Each ring as far as its steps are fine enough for: 5 minutes in steps of 10 s, 3 days in steps of 5 minutes. */
const RINGS = [
  { stepMs: STEP_MS, spanMs: WINDOWS['1h'] },
  { stepMs: 300_000, spanMs: WINDOWS['3d'] },
  { stepMs: 3_600_000, spanMs: PERIOD_MS },
] as const;

interface Ring {
  readonly stepMs: number;
  readonly spanMs: number;
  readonly places: number;
  /** What had been counted in all at the end of each step: a window is the difference of two such totals. */
  readonly good: Float64Array;
  readonly bad: Float64Array;
  /** Steps that are over. */
  steps: number;
}

/**
 * Counts for windows of any length without going through them: 46 KB an objective, and one addition a request.
 *
 * @param fromMs monotonic time, in milliseconds, as in `advance`
 */
export function createWindowCounts(fromMs: number): WindowCounts {
  const rings = RINGS.map((ring): Ring => {
    const places = ring.spanMs / ring.stepMs + 2;
    return { ...ring, places, good: new Float64Array(places), bad: new Float64Array(places), steps: 0 };
  });
  let good = 0;
  let bad = 0;
  let nowMs = fromMs;

  function advanceRing(ring: Ring): void {
    const due = Math.floor((nowMs - fromMs) / ring.stepMs);
    // After a long sleep all places are the same.
    const first = Math.max(ring.steps + 1, due - ring.places + 1);
    for (let step = first; step <= due; step += 1) {
      ring.good[step % ring.places] = good;
      ring.bad[step % ring.places] = bad;
    }
    ring.steps = due;
  }

  function sum(windowMs: number): Counted {
    const ring = rings.find(({ spanMs }) => windowMs <= spanMs) ?? rings.at(-1)!;
    const step = Math.floor((nowMs - fromMs - windowMs) / ring.stepMs);
    if (step <= 0) return { good, bad };
    const place = step % ring.places;
    return { good: good - ring.good[place]!, bad: bad - ring.bad[place]! };
  }

  return {
    good() {
      good += 1;
    },
    bad() {
      bad += 1;
    },
    advance(toMs) {
      nowMs = Math.max(nowMs, toMs);
      for (const ring of rings) advanceRing(ring);
    },
    sum,
    windows() {
      const entries = Object.entries(WINDOWS).map(([name, windowMs]) => [name, sum(windowMs)]);
      return Object.fromEntries(entries) as Record<WindowName, Counted>;
    },
    get total() {
      return { good, bad };
    },
  };
}

import type { Target } from '../../base/config/options.ts';
import type { Clock } from '../../base/util/clock.ts';
import { bestFor, type Rating } from '../../model/target.ts';
import type { Load, Setting, Subject } from './contract.ts';
import { observe } from './observe.ts';

/** A setting, and the load at which it was found to give most. */
export interface Contender {
  readonly setting: Setting;
  readonly load: Load;
}

/** What a setting gives. */
export interface Gain {
  readonly throughputPerS: number;
  /** Of one client's requests, in the middle. */
  readonly latencyMs: number;
}

export interface Comparison {
  /** Is the other one better? */
  readonly isBetter: boolean;
  /** Did looks at one setting agree? Else the machine was busy with other work. */
  readonly isSteady: boolean;
  readonly first: Gain;
  readonly other: Gain;
}

export interface CompareInput {
  readonly subject: Subject;
  readonly target: Target;
  readonly percentile: number;
  readonly clock: Clock;
  /** Time for one look at one setting. */
  readonly lookNs: number;
}

/** In turns, so that a busy moment of the machine does not hit one setting alone. */
const LOOKS = 2;
const STEADY_WITHIN = 1.5;
/** By how much the other has to be better: what is measured in so short a time is known no better. */
const MARGIN = 0.05;

/**
 * Sets two settings against each other once more: of many that were tried, the best owes some of that to chance.
 * @throws NimifyError where either cannot be loaded, or fails
 */
export async function compareInTurns(
  first: Contender,
  other: Contender,
  input: CompareInput,
): Promise<Comparison> {
  const seen = new Map<Contender, Gain[]>([
    [first, []],
    [other, []],
  ]);
  for (let look = 0; look < LOOKS; look++) {
    for (const [contender, gains] of seen) gains.push(await lookAtOne(contender, input));
  }
  const [ofFirst, ofOther] = [seen.get(first)!, seen.get(other)!];
  const best = { first: bestOf(ofFirst), other: bestOf(ofOther) };
  const rated = [
    { isOther: false, rating: ratingOf(first, best.first) },
    { isOther: true, rating: ratingOf(other, best.other) },
  ];
  const { target } = input;
  return {
    isBetter: bestFor(rated, { target, margin: MARGIN, rate: ({ rating }) => rating })?.isOther === true,
    isSteady: isSteady(ofFirst) && isSteady(ofOther),
    ...best,
  };
}

async function lookAtOne({ setting, load }: Contender, input: CompareInput): Promise<Gain> {
  const { subject, percentile, clock, lookNs } = input;
  const opened = await subject.open(setting.plan);
  try {
    const asking = { model: opened.batched(setting.batching), request: opened.request, percentile, clock };
    await observe({ ...asking, load, durationNs: 0 });
    const alone = await observe({ ...asking, load: { kind: 'closed', clients: 1 }, durationNs: lookNs / 2 });
    const { throughputPerS } = await observe({ ...asking, load, durationNs: lookNs / 2 });
    return { throughputPerS, latencyMs: alone.latencyMs.p50 };
  } finally {
    await opened.close();
  }
}

/** Whatever else went on can only have made a look worse. */
function bestOf(gains: readonly Gain[]): Gain {
  return {
    throughputPerS: Math.max(...gains.map(({ throughputPerS }) => throughputPerS)),
    latencyMs: Math.min(...gains.map(({ latencyMs }) => latencyMs)),
  };
}

function isSteady(gains: readonly Gain[]): boolean {
  const rates = gains.map(({ throughputPerS }) => throughputPerS);
  return Math.max(...rates) <= STEADY_WITHIN * Math.min(...rates);
}

function ratingOf({ setting: { plan } }: Contender, { throughputPerS, latencyMs }: Gain): Rating {
  return {
    latencyNs: Math.max(1, latencyMs * 1e6),
    throughputPerS: Math.max(1e-9, throughputPerS),
    memoryBytes: plan.instances,
    cores: plan.instances * plan.intraOpThreads,
  };
}

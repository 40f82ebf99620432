import type { Target } from '../../base/config/options.ts';
import { bestFor } from '../../model/target.ts';
import type { Plan, Point, Setting } from './contract.ts';
import { isWithin } from './search.ts';

/** What a setting gives, over all loads that it was put under. */
export interface RatedSetting {
  readonly setting: Setting;
  /** Of one client's requests, in the middle. */
  readonly latencyMs: number;
  /** The load at which it gives most within the limit. */
  readonly best: Point;
}

/** By how much a setting has to be better than a simpler one: what is measured in so short a time is known no better. */
const MARGIN = 0.05;

/** Settings with what they give within the limit; those that never keep to it are not there. */
export function rateSettings(points: readonly Point[], limitMs: number): readonly RatedSetting[] {
  const bySetting = new Map<Setting, Point[]>();
  for (const point of points) bySetting.set(point.setting, [...(bySetting.get(point.setting) ?? []), point]);
  return [...bySetting].flatMap(([setting, own]) => {
    const best = mostThroughput(own.filter((point) => isWithin(point, limitMs)));
    const latencyMs = own[0]?.latencyMs.p50; // the first load is that of one client
    return best === undefined || latencyMs === undefined ? [] : [{ setting, latencyMs, best }];
  });
}

/** The setting that is best for the target; the simpler one where two are alike. Undefined: none keeps to the limit. */
export function chooseSetting(rated: readonly RatedSetting[], target: Target): RatedSetting | undefined {
  const simplestFirst = [...rated].sort((a, b) => effortOf(a.setting) - effortOf(b.setting));
  return bestFor(simplestFirst, {
    target,
    margin: MARGIN,
    rate: ({ latencyMs, best }) => ({
      latencyNs: Math.max(1, latencyMs * 1e6),
      throughputPerS: best.throughputPerS,
      memoryBytes: Math.max(1, best.memoryBytes),
      cores: coresOf(best.setting.plan),
    }),
  });
}

/** What regulates itself needs no care later, and no batching none at all; a window is one number more to keep right. */
function effortOf({ plan, batching }: Setting): number {
  if (plan.session !== undefined) return 4;
  if (batching === 'auto') return 0;
  if (batching === 'off') return 1;
  return batching.maxDelayMs === 0 ? 2 : 3;
}

function coresOf({ instances, intraOpThreads }: Plan): number {
  return instances * intraOpThreads;
}

/** Points that no other beats at both throughput and latency, from the fastest answers to the most. */
export function frontierOf(points: readonly Point[]): readonly Point[] {
  const sorted = points
    .filter(({ answers }) => answers > 0)
    .sort((a, b) => a.latencyMs.asked - b.latencyMs.asked || b.throughputPerS - a.throughputPerS);
  const frontier: Point[] = [];
  for (const point of sorted) {
    if (point.throughputPerS > (frontier.at(-1)?.throughputPerS ?? 0)) frontier.push(point);
  }
  return frontier;
}

function mostThroughput(points: readonly Point[]): Point | undefined {
  let best: Point | undefined;
  for (const point of points)
    if (best === undefined || point.throughputPerS > best.throughputPerS) best = point;
  return best;
}

import type { Clock } from '../../base/util/clock.ts';
import type { RatedSetting } from './choose.ts';
import type { Point, Subject } from './contract.ts';
import { observe } from './observe.ts';
import { isWithin } from './search.ts';

export interface VerifyInput {
  readonly subject: Subject;
  readonly chosen: RatedSetting;
  readonly limitMs: number;
  readonly percentile: number;
  readonly durationNs: number;
  readonly clock: Clock;
}

/** Rates to try, in shares of what the setting gave to clients that wait for their answers. */
const SHARES: readonly number[] = [0.8, 0.65, 0.5, 0.3, 0.1];

/**
 * Clients that wait for their answers never send more than is answered; users do. So the chosen setting gets requests
 * by chance, at falling rates until they keep to the limit.
 * @returns what it gave at each rate; the last one keeps to the limit, or none does
 */
export async function verify(input: VerifyInput): Promise<readonly Point[]> {
  const { subject, chosen, limitMs, clock, durationNs, percentile } = input;
  const { setting, best } = chosen;
  const opened = await subject.open(setting.plan);
  try {
    const model = opened.batched(setting.batching);
    const asking = { model, request: opened.request, percentile, clock };
    await observe({ ...asking, load: best.load, durationNs: 0 });
    const points: Point[] = [];
    for (const share of SHARES) {
      const load = { kind: 'open', perSecond: best.throughputPerS * share } as const;
      const observed = await observe({ ...asking, load, durationNs });
      const point: Point = { ...observed, setting, load, memoryBytes: opened.memoryBytes };
      points.push(point);
      if (point.answers > 0 && isWithin(point, limitMs)) break;
    }
    return points;
  } finally {
    await opened.close();
  }
}

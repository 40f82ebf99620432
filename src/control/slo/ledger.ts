import type { SloObjectives } from '../../base/config/service-level.ts';
import type { EventSink, OpenLevel } from '../../base/telemetry/events.ts';
import type { MetricsRegistry } from '../../base/telemetry/metrics.ts';
import type { RequestOutcome } from '../../base/telemetry/request-instruments.ts';
import type { Clock, Timer } from '../../base/util/clock.ts';
import { type BurnRate, burnRate, findBurn, PERIOD_MS } from './burn-rates.ts';
import type { ObjectiveName, SloCounts, SloLedger } from './contract.ts';
import { createSloMetrics } from './slo-metrics.ts';
import { VERDICTS } from './verdict.ts';
import { createWindowCounts, STEP_MS, type WindowCounts } from './window-counts.ts';

export interface SloLedgerDeps {
  readonly clock: Clock;
  readonly metrics: MetricsRegistry;
  readonly events: EventSink;
  /** Those of a model that is served; undefined where it is not. Asked for the first request, and every 10 s. */
  readonly objectivesOf: (model: string) => SloObjectives | undefined;
}

/** One objective of one model. */
interface Account {
  readonly name: ObjectiveName;
  readonly target: number;
  readonly sinceMs: number;
  readonly counts: WindowCounts;
  burns: OpenLevel | undefined;
}

interface Track {
  readonly objectives: SloObjectives;
  readonly availability: Account | undefined;
  readonly latency: Account | undefined;
  /** Infinite where there is no such objective. */
  readonly thresholdNs: number;
}

/**
 * Counts for each model how many requests kept to its objectives, and reports where its error budget is spent too fast. It
 * begins anew with each process; Prometheus, with the rules of `nimify alerts`, remembers longer.
 */
export function createSloLedger({ clock, metrics, events, objectivesOf }: SloLedgerDeps): SloLedger {
  const tracks = new Map<string, Track>();
  let timer: Timer | undefined;
  let isStopped = false;

  function openAccount(name: ObjectiveName, target: number | undefined, before: Account | undefined) {
    if (target === undefined) return undefined;
    // What was counted is true of any target, but not of another threshold: that is left out by the caller.
    if (before !== undefined) return { ...before, target };
    const counts = createWindowCounts(nowMs());
    return { name, target, sinceMs: clock.wallMs(), counts, burns: undefined };
  }

  function open(model: string, objectives: SloObjectives, before?: Track): Track {
    const { availability, latency } = objectives;
    const isSame = latency?.thresholdMs === before?.objectives.latency?.thresholdMs;
    const track: Track = {
      objectives,
      availability: openAccount('availability', availability, before?.availability),
      latency: openAccount('latency', latency?.target, isSame ? before?.latency : undefined),
      thresholdNs: latency === undefined ? Number.POSITIVE_INFINITY : latency.thresholdMs * 1e6,
    };
    tracks.set(model, track);
    if (!isStopped) timer ??= clock.setTimer(step, STEP_MS);
    return track;
  }

  function nowMs(): number {
    return clock.nowNs() / 1e6;
  }

  function step(): void {
    timer = clock.setTimer(step, STEP_MS);
    for (const [model, track] of tracks) {
      const objectives = objectivesOf(model);
      if (objectives === undefined) {
        for (const account of accountsOf(track)) settle(model, account, undefined);
        tracks.delete(model);
        continue;
      }
      const now = objectives === track.objectives ? track : open(model, objectives, track);
      for (const account of accountsOf(now)) {
        account.counts.advance(nowMs());
        settle(model, account, findBurn(account.counts.windows(), account.target));
      }
    }
  }

  /** Reports what has changed. One that burns less fast than before is as bad as it was, until it burns no more. */
  function settle(model: string, account: Account, burn: BurnRate | undefined): void {
    const { name: part, burns } = account;
    if (burn !== undefined) {
      if (burns === 'paging' || burns === burn.level) return;
      account.burns = burn.level;
      events.report({ type: 'slo-burn', model, part, level: burn.level, ...describe(account, burn) });
    } else if (burns !== undefined) {
      account.burns = undefined;
      const message = `the error budget of the ${part} objective is spent no faster than it may be`;
      events.report({ type: 'slo-recovered', model, part, message });
    }
  }

  createSloMetrics(metrics, read);

  function read(): readonly SloCounts[] {
    return Array.from(tracks, ([model, track]) =>
      accountsOf(track).map(({ name, target, sinceMs, counts, burns }) => {
        counts.advance(nowMs());
        const { latency } = track.objectives;
        return {
          ...{ model, objective: name, target, sinceMs, burns },
          ...(name === 'latency' && latency !== undefined ? { thresholdMs: latency.thresholdMs } : {}),
          windows: counts.windows(),
          period: counts.sum(PERIOD_MS),
          total: counts.total,
        };
      }),
    ).flat();
  }

  return {
    count({ model, code, totalNs }: RequestOutcome) {
      const verdict = VERDICTS[code];
      if (verdict === 'none' || model === '') return;
      let track = tracks.get(model);
      if (track === undefined) {
        const objectives = objectivesOf(model);
        if (objectives === undefined) return;
        track = open(model, objectives);
      }
      if (verdict === 'bad') {
        track.availability?.counts.bad();
        return;
      }
      track.availability?.counts.good();
      // Only what was answered was so soon or late: what was not is the other objective's.
      if (totalNs <= track.thresholdNs) track.latency?.counts.good();
      else track.latency?.counts.bad();
    },
    read,
    stop() {
      isStopped = true;
      timer?.cancel();
    },
  };
}

function accountsOf({ availability, latency }: Track): readonly Account[] {
  return [availability, latency].filter((account) => account !== undefined);
}

function describe({ name, target, counts }: Account, { long, short, rate }: BurnRate) {
  const windows = counts.windows();
  const { good, bad } = windows[long];
  const times = (window: typeof long) => Number(burnRate(windows[window], target).toPrecision(3));
  const what = name === 'availability' ? 'requests were not answered' : 'answers came too late';
  return {
    message:
      `${bad} of ${good + bad} ${what} in the last ${long}: ${times(long)} times the rate that an objective of ` +
      `${Number((target * 100).toFixed(6))} % allows, and ${times(short)} times in the last ${short}`,
    details: { target, long, short, limit: rate, burnLong: times(long), burnShort: times(short) },
  };
}

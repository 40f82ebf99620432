import type { SloObjectives } from '../../base/config/service-level.ts';
import type { EventSink } from '../../base/telemetry/events.ts';
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
  /** What is served, with its objectives. Asked for the first request to a model, every 10 s, and when it is read. */
  readonly served: () => readonly { readonly name: string; readonly slo?: SloObjectives }[];
}

/** One objective of one model. */
interface Account {
  readonly name: ObjectiveName;
  readonly target: number;
  readonly sinceMs: number;
  readonly counts: WindowCounts;
  /** What was reported and is not over. */
  readonly burning: Set<BurnRate['level']>;
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
export function createSloLedger({ clock, metrics, events, served }: SloLedgerDeps): SloLedger {
  const tracks = new Map<string, Track>();
  let timer: Timer | undefined;
  let isStopped = false;

  function objectivesOf(model: string): SloObjectives | undefined {
    return served().find(({ name }) => name === model)?.slo;
  }

  function openAccount(
    name: ObjectiveName,
    target: number | undefined,
    before: Account | undefined,
  ): Account | undefined {
    if (target === undefined) return undefined;
    // What was counted is true of any target, but not of another threshold: that is left out by the caller.
    if (before !== undefined) return { ...before, target };
    const counts = createWindowCounts(nowMs());
    return { name, target, sinceMs: clock.wallMs(), counts, burning: new Set() };
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
        for (const account of accountsOf(track)) settle(model, account, false);
        tracks.delete(model);
        continue;
      }
      const now = objectives === track.objectives ? track : open(model, objectives, track);
      for (const account of accountsOf(now)) {
        account.counts.advance(nowMs());
        settle(model, account, true);
      }
    }
  }

  /**
   * Reports what has changed. Fast and slow are two incidents: after an outage nobody has to be woken any more as soon as it
   * is over, but what it has cost shows in the longer windows for days.
   */
  function settle(model: string, account: Account, isServed: boolean): void {
    const { counts, target, burning } = account;
    const windows = counts.windows();
    for (const level of ['paging', 'degraded'] as const) {
      const burn = isServed ? findBurn(level, windows, target) : undefined;
      const has = burning.has(level);
      const part = `${account.name} ${level === 'paging' ? 'fast' : 'slow'}`;
      if (burn === undefined) {
        if (!burning.delete(level)) continue;
        const message = `the error budget of the ${account.name} objective is not spent so fast any more`;
        events.report({ type: 'slo-recovered', model, part, message });
      } else if (!has && !burning.has('paging')) {
        // While it burns fast, that it burns at all is no news.
        burning.add(level);
        events.report({ type: 'slo-burn', model, part, level, ...describe(account, burn) });
      }
    }
  }

  createSloMetrics(metrics, read);

  function read(): readonly SloCounts[] {
    // One that nobody has asked yet is told of, too: Prometheus sees a counter rise only from where it first saw it.
    for (const { name, slo } of served()) if (slo !== undefined && !tracks.has(name)) open(name, slo);
    return Array.from(tracks, ([model, track]) =>
      accountsOf(track).map(({ name, target, sinceMs, counts, burning }) => {
        counts.advance(nowMs());
        const { latency } = track.objectives;
        return {
          ...{ model, objective: name, target, sinceMs, burns: worstOf(burning) },
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

function worstOf(burning: Account['burning']): BurnRate['level'] | undefined {
  return burning.has('paging') ? 'paging' : burning.has('degraded') ? 'degraded' : undefined;
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

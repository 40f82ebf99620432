import type { Target } from '../../base/config/options.ts';
import type { Logger } from '../../base/telemetry/log.ts';
import type { Tensor } from '../../base/tensor/tensor.ts';
import type { Clock } from '../../base/util/clock.ts';
import type { TuneEffort } from '../../model/engine.ts';
import { bestFor } from '../../model/target.ts';
import { bestLook, type MeasuredPlan, measurePlan, type PlanProbe } from './measure-plan.ts';
import { timeText } from './pick-host.ts';
import type { HostSession } from './session.ts';
import type { Machine, ThreadPlan } from './thread-plan.ts';
import type { TuningCache, TuningKey } from './tuning-cache.ts';

export interface TuneInput {
  /** The plan by rule, which holds where no other is clearly better. */
  readonly plan: ThreadPlan;
  readonly machine: Machine;
  /** Memory of one session. */
  readonly modelBytes: number;
  /** How many sessions a plan's instances are. Default: as many. */
  readonly copies?: (plan: Pick<ThreadPlan, 'instances'>) => number;
  readonly effort: Exclude<TuneEffort, 'off'>;
  readonly target: Target;
  /** A request that the model answers; undefined: none is known. */
  readonly findInputs: (session: HostSession) => Promise<readonly Tensor[] | undefined>;
  readonly outputs: readonly string[];
  readonly key: TuningKey;
}

export interface TuneDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly cache: TuningCache;
  /** Opens all sessions of a plan. */
  readonly open: (plan: ThreadPlan) => Promise<readonly HostSession[]>;
}

export interface TunedThreads {
  readonly plan: ThreadPlan;
  /** Those of the plan, open. */
  readonly sessions: readonly HostSession[];
  /** How it was chosen, for people; empty where there was nothing to choose. */
  readonly note: string;
}

interface Effort {
  /** Looks at each plan, in turns, so that a busy moment of the machine does not hit one plan alone. */
  readonly looks: number;
  readonly lookNs: number;
  /** Models that take longer to load, or to answer, are not compared. */
  readonly longestLoadNs: number;
  readonly longestRunNs: number;
}

const EFFORTS: Readonly<Record<Exclude<TuneEffort, 'off'>, Effort>> = {
  auto: { looks: 2, lookNs: 80e6, longestLoadNs: 1e9, longestRunNs: 100e6 },
  full: { looks: 3, lookNs: 1e9, longestLoadNs: 60e9, longestRunNs: 10e9 },
};

/** Looks at one plan that differ by more than this say more of what else the machine does; nothing is kept of them. */
const STEADY_WITHIN = 1.5;

/** By how much another plan has to be better than the rule's: what is measured in so short a time is known no better. */
const MARGIN = 0.1;

const ONE_EACH = ({ instances }: Pick<ThreadPlan, 'instances'>) => instances;

/**
 * Plans worth a comparison, the rule's first. `auto` sets one session with all cores against one core each; `full`
 * tries 2, 4, 8, ... cores each as well. Plans are left out whose sessions, beside those of the rule's plan, would fill
 * over half of the memory.
 */
export function threadCandidates({
  plan,
  machine: { cores, memoryBytes },
  modelBytes,
  copies = ONE_EACH,
  effort,
}: Pick<TuneInput, 'plan' | 'machine' | 'modelBytes' | 'copies' | 'effort'>): readonly ThreadPlan[] {
  const threads = [1, cores];
  for (let between = 2; effort === 'full' && between < cores; between *= 2) threads.push(between);
  const affordable = Math.floor(memoryBytes / 2 / Math.max(1, modelBytes)) - copies(plan);
  const others = new Set(threads.map((each) => Math.floor(cores / each)));
  return [
    plan,
    ...[...others]
      .filter((instances) => copies({ instances }) <= affordable && instances !== plan.instances)
      .map((instances) => ({ instances, intraOpThreads: Math.floor(cores / instances) })),
  ];
}

/**
 * Opens the sessions of the plan that is best for the target: as an earlier start measured, or by a comparison now.
 * @throws NimifyError where the plan by rule cannot be opened; one that cannot be compared with it is left out
 */
export async function tuneThreads(input: TuneInput, deps: TuneDeps): Promise<TunedThreads> {
  const [byRule, ...others] = threadCandidates(input);
  if (others.length === 0) return { plan: input.plan, sessions: await deps.open(input.plan), note: '' };
  const known = await deps.cache.read(input.key);
  const kept = known && [byRule!, ...others].map((plan) => known.find(isFor(plan)));
  if (kept?.every((one) => one !== undefined)) {
    const best = choose(kept, input);
    const plan = { instances: best.instances, intraOpThreads: best.intraOpThreads };
    const note = describe(kept, best, input, 'measured at an earlier start');
    return { plan, sessions: await deps.open(plan), note };
  }
  return compare(others, input, deps);
}

/** Plans with their sessions, which are open. */
type Opened = Map<ThreadPlan, readonly HostSession[]>;

async function compare(
  others: readonly ThreadPlan[],
  input: TuneInput,
  deps: TuneDeps,
): Promise<TunedThreads> {
  const { clock, log, cache, open } = deps;
  const { longestLoadNs, longestRunNs, ...looks } = EFFORTS[input.effort];
  const opened: Opened = new Map();

  /** Closes all sessions but those of one plan. */
  async function settle(plan: ThreadPlan, note: string): Promise<TunedThreads> {
    for (const [other, sessions] of opened) {
      if (other !== plan) await Promise.all(sessions.map((session) => session.close()));
    }
    return { plan, sessions: opened.get(plan)!, note };
  }

  const { plan: byRule } = input;
  const startNs = clock.nowNs();
  opened.set(byRule, await open(byRule));
  const loadNs = clock.nowNs() - startNs;
  if (loadNs > longestLoadNs) return settle(byRule, `not compared: loading takes ${timeText(loadNs)}`);
  try {
    const inputs = await input.findInputs(opened.get(byRule)![0]!);
    if (inputs === undefined) return settle(byRule, 'not compared: no example request is known');
    const probe = { inputs, outputs: input.outputs, clock, budgetNs: 0 };
    const { latencyNs } = await measurePlan(opened.get(byRule)!, probe);
    if (latencyNs > longestRunNs) return settle(byRule, `not compared: a run takes ${timeText(latencyNs)}`);
    for (const plan of others) opened.set(plan, await open(plan));
    const { measured, isSteady } = await lookInTurns(opened, probe, looks);
    if (!isSteady) return settle(byRule, 'not compared: the machine was busy with other work');
    await cache.write(input.key, [...measured.values()]);
    const best = choose([...measured.values()], input);
    const plan = [...opened.keys()].find((one) => measured.get(one) === best) ?? byRule;
    return await settle(plan, describe([...measured.values()], best, input, 'measured'));
  } catch (err) {
    // What the rule gives is open and has loaded: a comparison that fails takes nothing away.
    log.warn({ err }, 'instances and threads could not be compared, and are as by rule');
    return settle(byRule, 'not compared: that failed');
  }
}

interface Seen {
  /** The best that was seen of each plan. */
  readonly measured: ReadonlyMap<ThreadPlan, MeasuredPlan>;
  readonly isSteady: boolean;
}

async function lookInTurns(
  opened: Opened,
  probe: PlanProbe,
  { looks, lookNs }: Pick<Effort, 'looks' | 'lookNs'>,
): Promise<Seen> {
  const seen = new Map<ThreadPlan, MeasuredPlan[]>();
  for (let look = 0; look < looks; look++) {
    for (const [plan, sessions] of opened) {
      const { instances, intraOpThreads } = plan;
      // Threads of the plan before may still spin for work.
      await measurePlan(sessions, { ...probe, budgetNs: 0 });
      const figures = await measurePlan(sessions, { ...probe, budgetNs: lookNs });
      seen.set(plan, [...(seen.get(plan) ?? []), { instances, intraOpThreads, ...figures }]);
    }
  }
  const isSteady = [...seen.values()].every((ofPlan) => {
    const rates = ofPlan.map(({ throughputPerS }) => throughputPerS);
    return Math.max(...rates) <= STEADY_WITHIN * Math.min(...rates);
  });
  return { measured: new Map([...seen].map(([plan, all]) => [plan, all.reduce(bestLook)])), isSteady };
}

/** The first is the rule's, and has the advantage of the margin. */
function choose(
  measured: readonly MeasuredPlan[],
  { target, modelBytes, copies = ONE_EACH }: TuneInput,
): MeasuredPlan {
  const best = bestFor(measured, {
    target,
    margin: MARGIN,
    rate: ({ instances, intraOpThreads, latencyNs, throughputPerS }) => ({
      ...{ latencyNs, throughputPerS },
      memoryBytes: copies({ instances }) * Math.max(1, modelBytes),
      cores: instances * intraOpThreads,
    }),
  });
  return best!;
}

function isFor({ instances, intraOpThreads }: ThreadPlan) {
  return (other: MeasuredPlan) => other.instances === instances && other.intraOpThreads === intraOpThreads;
}

function describe(
  measured: readonly MeasuredPlan[],
  best: MeasuredPlan,
  { target }: TuneInput,
  how: string,
): string {
  const others = measured.filter((one) => one !== best).map(figures);
  return `${how}, for ${target}: ${figures(best)}, against ${others.join(' and ')}`;
}

function figures({ instances, intraOpThreads, latencyNs, throughputPerS }: MeasuredPlan): string {
  return `${instances} x ${intraOpThreads} gives ${throughputPerS.toPrecision(3)} runs/s and ${timeText(latencyNs)} alone`;
}

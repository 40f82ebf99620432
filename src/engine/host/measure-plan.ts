import { BORROWED } from '../../base/tensor/owner.ts';
import type { Tensor } from '../../base/tensor/tensor.ts';
import type { Clock } from '../../base/util/clock.ts';
import type { HostSession } from './session.ts';
import type { ThreadPlan } from './thread-plan.ts';

/** What a plan was found to give. */
export interface MeasuredPlan extends Pick<ThreadPlan, 'instances' | 'intraOpThreads'> {
  /** Of a run while nothing else runs. */
  readonly latencyNs: number;
  /** Runs a second while every session is busy. */
  readonly throughputPerS: number;
}

export interface PlanProbe {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly string[];
  readonly clock: Clock;
  /** Time for one look at one plan. At least a run alone and a run of each session are made. */
  readonly budgetNs: number;
}

/** Half of the time for one run after another, half for runs of all sessions at once. */
export async function measurePlan(
  sessions: readonly HostSession[],
  probe: PlanProbe,
): Promise<Pick<MeasuredPlan, 'latencyNs' | 'throughputPerS'>> {
  const [first] = sessions;
  const alone = await timeRuns(first!, probe, probe.budgetNs / 2);
  const { clock } = probe;
  const startNs = clock.nowNs();
  const runs = await Promise.all(sessions.map((session) => timeRuns(session, probe, probe.budgetNs / 2)));
  const count = runs.reduce((total, { length }) => total + length, 0);
  const tookNs = Math.max(1, clock.nowNs() - startNs);
  return { latencyNs: Math.max(1, median(alone)), throughputPerS: (count / tookNs) * 1e9 };
}

/** What is better of two looks: whatever else went on can only have made a look worse. */
export function bestLook(one: MeasuredPlan, other: MeasuredPlan): MeasuredPlan {
  return {
    ...one,
    latencyNs: Math.min(one.latencyNs, other.latencyNs),
    throughputPerS: Math.max(one.throughputPerS, other.throughputPerS),
  };
}

async function timeRuns(
  session: HostSession,
  { inputs, outputs, clock }: PlanProbe,
  budgetNs: number,
): Promise<readonly number[]> {
  const untilNs = clock.nowNs() + budgetNs;
  const times: number[] = [];
  do {
    const startNs = clock.nowNs();
    await session.run({ inputs, outputs, owner: BORROWED });
    times.push(clock.nowNs() - startNs);
  } while (clock.nowNs() < untilNs);
  return times;
}

function median(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)]!;
}

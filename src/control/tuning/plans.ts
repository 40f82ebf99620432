import { planThreads } from '../../engine/host/thread-plan.ts';
import type { Batching, Plan } from './contract.ts';

export interface PlanChoices {
  readonly cores: number;
  /** Memory that this process may use. */
  readonly memoryBytes: number;
  /** Of one instance; those of the native host share one. */
  readonly instanceBytes: number;
  /** Where the model runs by itself; one on the main thread is tried on threads too. */
  readonly host: Plan['host'];
  /** What somebody has chosen. */
  readonly instances?: number;
  readonly intraOpThreads?: number;
}

/**
 * How the model would be served if nothing were searched: by rule, with what its `config.pbtxt` says of it. What
 * somebody has chosen for the search goes before that.
 */
export function planByRule(
  choices: PlanChoices,
  configured: Pick<PlanChoices, 'instances' | 'intraOpThreads'> = {},
): Plan {
  const { host, cores, memoryBytes, instanceBytes } = choices;
  const instances = choices.instances ?? configured.instances;
  const threads = choices.intraOpThreads ?? configured.intraOpThreads;
  if (host === 'inline') return { host, instances: 1, intraOpThreads: threads ?? 1 };
  const plan = planThreads(
    { cores, memoryBytes },
    {
      modelBytes: host === 'native' ? 0 : instanceBytes,
      ...(instances === undefined ? {} : { instances }),
      ...(threads === undefined ? {} : { intraOpThreads: threads }),
    },
  );
  return { host, instances: plan.instances, intraOpThreads: plan.intraOpThreads };
}

/** Share of the memory that all instances of a plan may fill. */
const MEMORY_SHARE = 1 / 2;

/**
 * Ways to divide the cores: 1, 2, 4, ... and all of them for one run, with as many instances as that leaves room for, one
 * instance, and what lies half-way. What was chosen already stays as it is.
 */
export function plansToTry(choices: PlanChoices): readonly Plan[] {
  const { cores, host } = choices;
  const plans: Plan[] = [];
  if (host === 'inline') {
    plans.push({ host, instances: 1, intraOpThreads: choices.intraOpThreads ?? 1 });
    if (choices.instances === 1) return plans;
  }
  const elsewhere = host === 'inline' ? 'thread' : host;
  const eachBytes = host === 'native' ? 0 : choices.instanceBytes;
  const most = Math.floor((choices.memoryBytes * MEMORY_SHARE) / Math.max(1, eachBytes));
  for (const intraOpThreads of choices.intraOpThreads ? [choices.intraOpThreads] : powersUpTo(cores)) {
    const room = Math.max(1, Math.floor(cores / intraOpThreads));
    const counts =
      choices.instances === undefined ? powersUpTo(room).slice(-MOST_COUNTS) : [choices.instances];
    for (const instances of counts) {
      if (instances > room || (instances > 1 && instances > most)) continue;
      plans.push({ host: elsewhere, instances, intraOpThreads });
    }
  }
  return plans;
}

/** Of instances with equally many threads; fewer than a quarter of the room leave most of the machine idle. */
const MOST_COUNTS = 3;

/** 1, 2, 4, ... and the limit itself. */
export function powersUpTo(limit: number): readonly number[] {
  const powers: number[] = [];
  for (let power = 1; power < limit; power *= 2) powers.push(power);
  return [...powers, limit];
}

/** As many requests as fill a batch. */
export function rowsOf(batching: Batching): number {
  return typeof batching === 'object' ? batching.maxBatchSize : 1;
}

export function planText({ host, instances, intraOpThreads, session = {} }: Plan): string {
  const { memoryArena, graphOptimization } = session;
  return [
    `${host}, ${host === 'inline' ? '' : `${instances} x `}${intraOpThreads}`,
    ...(memoryArena ? ['arena'] : []),
    ...(graphOptimization === undefined ? [] : [`graph ${graphOptimization}`]),
  ].join(', ');
}

export function batchingText(batching: Batching): string {
  if (typeof batching === 'string') return batching;
  const { maxBatchSize, maxDelayMs } = batching;
  return `${maxBatchSize} rows, ${maxDelayMs === 0 ? 'no wait' : `${maxDelayMs} ms`}`;
}

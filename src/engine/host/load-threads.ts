import type { Artifact } from '../../model/artifact.ts';
import type { EngineInstance, EngineOptions, HostKind, TuneEffort, UsualRun } from '../../model/engine.ts';
import { createHostedInstance } from './instance.ts';
import { answeredInputs, type LoadDeps, openConfirmed, planFor } from './load-steps.ts';
import type { HostSession } from './session.ts';
import type { ThreadPlan } from './thread-plan.ts';
import { type TuneInput, tuneThreads } from './tune-threads.ts';
import { keyHere, type TuningKey } from './tuning-cache.ts';

interface Threads {
  readonly reason: string;
  /** Opens a session for each of a plan's instances; they may be one and the same. Default: each on a thread. */
  readonly open?: (plan: ThreadPlan) => Promise<readonly HostSession[]>;
  /** Default `thread`. */
  readonly host?: Extract<HostKind, 'thread' | 'native'>;
  /** Memory of a session, where it is known better than by the file. */
  readonly modelBytes?: number;
  /** What led here. */
  readonly usualRun?: UsualRun | undefined;
  /** A request that the model answers. Default: one is looked for. */
  readonly findInputs?: TuneInput['findInputs'];
}

/** Loads an artifact on threads, as many as options, a measurement or a rule say. */
export async function loadThreads(
  artifact: Artifact,
  options: EngineOptions,
  deps: LoadDeps,
  {
    reason,
    modelBytes = artifact.sizeBytes,
    findInputs,
    usualRun,
    host = 'thread',
    open = (plan) => openThreads(artifact, plan, deps),
  }: Threads,
): Promise<EngineInstance> {
  const copies = host === 'native' ? () => 1 : ({ instances }: Pick<ThreadPlan, 'instances'>) => instances;
  const byRule = planFor(host === 'native' ? 0 : modelBytes, options, deps);
  const effort = tuneEffort(artifact, options);
  const { sessions, note, ...tuned } =
    effort === 'off'
      ? { plan: byRule, sessions: await open(byRule), note: '' }
      : await tuneThreads(
          {
            ...{ plan: byRule, machine: deps.machine, modelBytes, copies, effort },
            target: options.target ?? 'balanced',
            findInputs:
              findInputs ??
              ((session) => answeredInputs(session, deps.confirm(session), artifact, options, deps)),
            outputs: artifact.signature.outputs.map((spec) => spec.name),
            key: tuningKey(artifact, options, deps, host),
          },
          { clock: deps.clock, log: deps.log, cache: deps.tunings, open },
        );
  const { instances, intraOpThreads } = tuned.plan;
  const [first] = sessions;
  return createHostedInstance({
    host,
    hostReason: `${reason}; ${instances} x ${intraOpThreads} threads${note === '' ? '' : ` (${note})`}`,
    signature: deps.confirm(first!),
    memoryBytes: first!.info.memoryBytes * copies(tuned.plan),
    usualRun,
    sessions,
  });
}

/** What somebody chose is not chosen again, and time that depends on values says nothing of the next request. */
function tuneEffort({ loopOperator }: Artifact, options: EngineOptions): TuneEffort {
  const { tune = 'off', instances, intraOpThreads } = options;
  const isOpen = instances === undefined && intraOpThreads === undefined && loopOperator === undefined;
  return isOpen ? tune : 'off';
}

function tuningKey(
  { contentHash }: Artifact,
  { providers, memoryArena, graphOptimization }: EngineOptions,
  { machine, engineVersion }: LoadDeps,
  host: HostKind,
): TuningKey {
  const options = [
    ...[providers ?? null, memoryArena ?? null, graphOptimization ?? null],
    ...(host === 'thread' ? [] : [host]),
  ];
  return keyHere({ contentHash, options, cores: machine.cores, engineVersion: engineVersion() });
}

async function openThreads(
  { path }: Artifact,
  { instances, intraOpThreads }: ThreadPlan,
  deps: LoadDeps,
): Promise<readonly HostSession[]> {
  const open = () => deps.openThread({ path, intraOpThreads });
  // The first alone: it shows whether the file loads at all, and what a load costs in memory.
  const first = await openConfirmed(deps, open);
  const others = await Promise.allSettled(Array.from({ length: instances - 1 }, open));
  const sessions = [first, ...others.flatMap((other) => (other.status === 'fulfilled' ? [other.value] : []))];
  const failed = others.find((other) => other.status === 'rejected');
  if (failed === undefined) return sessions;
  await Promise.all(sessions.map((session) => session.close()));
  throw failed.reason;
}

import type { Artifact } from '../../model/artifact.ts';
import type { EngineInstance, EngineOptions, TuneEffort } from '../../model/engine.ts';
import { createHostedInstance } from './instance.ts';
import { answeredInputs, type LoadDeps, openConfirmed, planFor } from './load-steps.ts';
import type { HostSession } from './session.ts';
import type { ThreadPlan } from './thread-plan.ts';
import { type TuneInput, tuneThreads } from './tune-threads.ts';
import { keyHere, type TuningKey } from './tuning-cache.ts';

interface Threads {
  readonly reason: string;
  /** Memory of a session, where it is known better than by the file. */
  readonly modelBytes?: number;
  /** A request that the model answers. Default: one is looked for. */
  readonly findInputs?: TuneInput['findInputs'];
}

/** Loads an artifact on threads, as many as options, a measurement or a rule say. */
export async function loadThreads(
  artifact: Artifact,
  options: EngineOptions,
  deps: LoadDeps,
  { reason, modelBytes = artifact.sizeBytes, findInputs }: Threads,
): Promise<EngineInstance> {
  const byRule = planFor(modelBytes, options, deps);
  const effort = tuneEffort(artifact, options);
  const open = (one: ThreadPlan) => openThreads(artifact, one, deps);
  const { sessions, note, ...tuned } =
    effort === 'off'
      ? { plan: byRule, sessions: await open(byRule), note: '' }
      : await tuneThreads(
          {
            ...{ plan: byRule, machine: deps.machine, modelBytes, effort },
            target: options.target ?? 'balanced',
            findInputs:
              findInputs ??
              ((session) => answeredInputs(session, deps.confirm(session), artifact, options, deps)),
            outputs: artifact.signature.outputs.map((spec) => spec.name),
            key: await tuningKey(artifact, options, deps),
          },
          { clock: deps.clock, log: deps.log, cache: deps.tunings, open },
        );
  const { instances, intraOpThreads } = tuned.plan;
  const [first] = sessions;
  return createHostedInstance({
    host: 'thread',
    hostReason: `${reason}; ${instances} x ${intraOpThreads} threads${note === '' ? '' : ` (${note})`}`,
    signature: deps.confirm(first!),
    memoryBytes: first!.info.memoryBytes * instances,
    sessions,
  });
}

/** What somebody chose is not chosen again, and time that depends on values says nothing of the next request. */
function tuneEffort({ loopOperator }: Artifact, options: EngineOptions): TuneEffort {
  const { tune = 'off', instances, intraOpThreads } = options;
  const isOpen = instances === undefined && intraOpThreads === undefined && loopOperator === undefined;
  return isOpen ? tune : 'off';
}

async function tuningKey(
  { contentHash }: Artifact,
  { providers, memoryArena, graphOptimization }: EngineOptions,
  { machine, engineVersion }: LoadDeps,
): Promise<TuningKey> {
  const options = [providers ?? null, memoryArena ?? null, graphOptimization ?? null];
  return keyHere({ contentHash, options, cores: machine.cores, engineVersion: await engineVersion() });
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

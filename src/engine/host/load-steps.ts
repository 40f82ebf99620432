import type { Logger } from '../../base/telemetry/log.ts';
import type { Tensor } from '../../base/tensor/tensor.ts';
import type { Clock } from '../../base/util/clock.ts';
import type { Artifact } from '../../model/artifact.ts';
import type { EngineOptions, RunRequest } from '../../model/engine.ts';
import type { Signature } from '../../model/signature.ts';
import { findExample, tryExample } from '../self-test.ts';
import type { ProcessLimits, ProcessSession } from './process.ts';
import type { HostSession, SessionSource } from './session.ts';
import { type Machine, planThreads, type ThreadPlan } from './thread-plan.ts';
import type { TuningCache } from './tuning-cache.ts';

export interface LoadDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly machine: Machine;
  /** Opens a session on this thread. */
  readonly openInline: (source: SessionSource) => Promise<HostSession>;
  /** Opens a session on a thread of its own. */
  readonly openThread: (source: SessionSource) => Promise<HostSession>;
  /**
   * Opens a session for any number of runs at once, on libuv's threads.
   * @throws NimifyError UNSUPPORTED where that cannot be done here
   */
  readonly openNative: (source: SessionSource) => Promise<HostSession>;
  /** Why that is not to be done unless it is asked for, with so many runs at once; undefined: it is. */
  readonly whyNotNative: (runs: number) => Promise<string | undefined>;
  /** Opens a session in a process of its own. */
  readonly openProcess: (source: SessionSource, limits: ProcessLimits) => Promise<ProcessSession>;
  /** Measurements of earlier starts. */
  readonly tunings: TuningCache;
  /** Name and version of the engine: another may be quicker elsewhere. */
  readonly engineVersion: () => string;
  /** The signature by what the session says of itself. @throws NimifyError where it cannot be served */
  readonly confirm: (session: HostSession) => Signature;
}

/** A session that cannot be served is closed again before its error goes on. */
export async function openConfirmed<Session extends HostSession>(
  deps: LoadDeps,
  open: () => Promise<Session>,
): Promise<Session> {
  const session = await open();
  try {
    deps.confirm(session);
    return session;
  } catch (refused) {
    await session.close();
    throw refused;
  }
}

/** The inputs that were given, or some that are made up; undefined where the model refuses them. */
export async function answeredInputs(
  session: HostSession,
  signature: Signature,
  { indexLimits }: Artifact,
  { exampleInputs }: EngineOptions,
  { clock }: LoadDeps,
): Promise<readonly Tensor[] | undefined> {
  const search = { signature, indexLimits, run: (request: RunRequest) => session.run(request), clock };
  const found = await (exampleInputs === undefined ? findExample(search) : tryExample(search, exampleInputs));
  return found.ok ? found.inputs : undefined;
}

/** How many sessions of how many threads, by the options or else by rule. */
export function planFor(modelBytes: number, options: EngineOptions, { machine, log }: LoadDeps): ThreadPlan {
  const { instances, intraOpThreads } = options;
  const made = planThreads(machine, {
    modelBytes,
    ...(instances === undefined ? {} : { instances }),
    ...(intraOpThreads === undefined ? {} : { intraOpThreads }),
  });
  if (made.note !== undefined) log.warn({ note: made.note }, 'threads limited to the cores');
  return made;
}

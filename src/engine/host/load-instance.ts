import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { Logger } from '../../base/telemetry/log.ts';
import type { Tensor } from '../../base/tensor/tensor.ts';
import type { Clock } from '../../base/util/clock.ts';
import type { Artifact } from '../../model/artifact.ts';
import type { EngineInstance, EngineOptions, RunRequest } from '../../model/engine.ts';
import type { Signature } from '../../model/signature.ts';
import { findExample, tryExample } from '../self-test.ts';
import { createInlineRuns, type InlineRuns } from './inline-runs.ts';
import { createHostedInstance, type InstanceParts } from './instance.ts';
import { loadProcesses } from './load-processes.ts';
import { createOverflow } from './overflow.ts';
import { crashWarning, pickHost, processReason } from './pick-host.ts';
import type { ProcessLimits, ProcessSession } from './process.ts';
import { createRunCost, sizeOf } from './run-cost.ts';
import type { HostSession, SessionSource } from './session.ts';
import { type Machine, planThreads, type ThreadPlan } from './thread-plan.ts';

export interface LoadDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly machine: Machine;
  /** Opens a session on this thread. */
  readonly openInline: (source: SessionSource) => Promise<HostSession>;
  /** Opens a session on a thread of its own. */
  readonly openThread: (source: SessionSource) => Promise<HostSession>;
  /** Opens a session in a process of its own. */
  readonly openProcess: (source: SessionSource, limits: ProcessLimits) => Promise<ProcessSession>;
  /** The signature by what the session says of itself. @throws NimifyError where it cannot be served */
  readonly confirm: (session: HostSession) => Signature;
}

/** Slots of an instance on the main thread: a few, so that one turn of the event loop takes several small runs. */
const INLINE_SLOTS = 4;

/** Loads an artifact on the host that the options name, or that a measurement picks. */
export async function loadInstance(
  artifact: Artifact,
  options: EngineOptions,
  deps: LoadDeps,
): Promise<EngineInstance> {
  const { host, memoryLimitBytes, runLimitMs } = options;
  const hasLimits = memoryLimitBytes !== undefined || runLimitMs !== undefined;
  if (host === 'process') return loadInProcesses(artifact, options, deps, 'process: configured');
  if (host === 'auto' && hasLimits) {
    return loadInProcesses(artifact, options, deps, 'process: its limits can only be kept there');
  }
  const { crashOperator } = artifact;
  if (host === 'auto' && crashOperator !== undefined) {
    return loadInProcesses(artifact, options, deps, processReason(crashOperator));
  }
  if (crashOperator !== undefined) deps.log.warn({ path: artifact.path, host }, crashWarning(crashOperator));
  if (runLimitMs !== undefined) throw cannotLimitRuns(host);
  if (memoryLimitBytes !== undefined) await tryMemory(artifact, memoryLimitBytes, options, deps);
  switch (host) {
    case 'inline':
      return loadInline(artifact, options, deps);
    case 'thread':
      return loadThreads(artifact, plan(artifact.sizeBytes, options, deps), deps, 'thread: configured');
    case 'auto':
      return loadMeasured(artifact, options, deps);
  }
}

/** A process a session: what goes wrong in one, its memory and its time are kept from everything else. */
async function loadInProcesses(
  artifact: Artifact,
  options: EngineOptions,
  deps: LoadDeps,
  reason: string,
): Promise<EngineInstance> {
  const { memoryLimitBytes, runLimitMs } = options;
  const { instances, intraOpThreads } = plan(artifact.sizeBytes, options, deps);
  const limits: ProcessLimits = {
    ...(memoryLimitBytes === undefined ? {} : { memoryLimitBytes }),
    ...(runLimitMs === undefined ? {} : { runLimitMs }),
  };
  const open = () => deps.openProcess({ path: artifact.path, intraOpThreads }, limits);
  const first = await openConfirmed(deps, open);
  return loadProcesses({
    ...{ first, open, instances, reason },
    signature: deps.confirm(first),
  });
}

/**
 * Loads the model once in a process that is watched, and lets go of it. Allocations are not bounded there, unlike
 * in the process host: a runtime that is refused memory for an optimisation leaves it out and loads all the same,
 * and would then, here, take that memory after all.
 */
async function tryMemory(
  artifact: Artifact,
  memoryLimitBytes: number,
  options: EngineOptions,
  deps: LoadDeps,
): Promise<void> {
  const { intraOpThreads } = plan(artifact.sizeBytes, options, deps);
  const source: SessionSource = { path: artifact.path, intraOpThreads };
  const session = await deps.openProcess(source, { memoryLimitBytes, isWatchedOnly: true });
  await session.close();
}

function cannotLimitRuns(host: string): NimifyError {
  return new NimifyError(
    'CONFIG_INVALID',
    `A run on the host '${host}' cannot be ended, so a limit of its time cannot be kept; use the host 'process'`,
    { details: { where: 'runLimitMs' } },
  );
}

/** One session and one slot: more would not run side by side. It gets every core unless told otherwise. */
async function loadInline(
  artifact: Artifact,
  options: EngineOptions,
  deps: LoadDeps,
): Promise<EngineInstance> {
  const { intraOpThreads } = plan(artifact.sizeBytes, { ...options, instances: 1 }, deps);
  const session = await openConfirmed(deps, () => deps.openInline({ path: artifact.path, intraOpThreads }));
  return createHostedInstance({
    host: 'inline',
    hostReason: 'inline: configured',
    signature: deps.confirm(session),
    memoryBytes: session.info.memoryBytes,
    sessions: [session],
    ...inlineParts(session, createInlineRuns(createRunCost())),
  });
}

function inlineParts(session: HostSession, runs: InlineRuns): Pick<InstanceParts, 'run' | 'runNow'> {
  return {
    run: (inline, _slot, request) => runs.run(inline, request),
    ...(session.runNow === undefined ? {} : { runNow: runs.runNow }),
  };
}

async function loadThreads(
  artifact: Artifact,
  { instances, intraOpThreads }: ThreadPlan,
  deps: LoadDeps,
  hostReason: string,
): Promise<EngineInstance> {
  const open = () => deps.openThread({ path: artifact.path, intraOpThreads });
  // The first alone: it shows whether the file loads at all, and what a load costs in memory.
  const first = await openConfirmed(deps, open);
  const others = await Promise.allSettled(Array.from({ length: instances - 1 }, open));
  const sessions = [first, ...others.flatMap((other) => (other.status === 'fulfilled' ? [other.value] : []))];
  const failed = others.find((other) => other.status === 'rejected');
  if (failed !== undefined) {
    await Promise.all(sessions.map((session) => session.close()));
    throw failed.reason;
  }
  return createHostedInstance({
    host: 'thread',
    hostReason: `${hostReason}; ${instances} x ${intraOpThreads} threads`,
    signature: deps.confirm(first),
    memoryBytes: first.info.memoryBytes * instances,
    sessions,
  });
}

/** Loads on the main thread, measures, and stays there or moves out; weights are not kept in both places. */
async function loadMeasured(
  artifact: Artifact,
  options: EngineOptions,
  deps: LoadDeps,
): Promise<EngineInstance> {
  if (artifact.loopOperator !== undefined) {
    const reason = `thread: how long ${artifact.loopOperator} takes depends on the values of a request`;
    return loadThreads(artifact, plan(artifact.sizeBytes, options, deps), deps, reason);
  }
  const intraOpThreads = options.intraOpThreads ?? 1;
  const source: SessionSource = { path: artifact.path, intraOpThreads };
  const session = await openConfirmed(deps, () => deps.openInline(source));
  const signature = deps.confirm(session);
  const inputs = await answeredInputs(session, signature, artifact, options, deps);
  const outputs = signature.outputs.map((spec) => spec.name);
  const choice = await pickHost(session, inputs, outputs);

  if (choice.host === 'thread' || inputs === undefined || choice.runNs === undefined) {
    await session.close();
    const modelBytes = Math.max(artifact.sizeBytes, session.info.memoryBytes);
    return loadThreads(artifact, plan(modelBytes, options, deps), deps, choice.reason);
  }
  const cost = createRunCost({ sizeBytes: sizeOf(inputs), computeNs: choice.runNs });
  const overflow = createOverflow({
    maxThreads: plan(artifact.sizeBytes, options, deps).instances,
    openThread: () => deps.openThread(source),
    log: deps.log,
  });
  return createHostedInstance({
    host: 'inline',
    hostReason: choice.reason,
    signature,
    memoryBytes: session.info.memoryBytes,
    sessions: Array.from({ length: INLINE_SLOTS }, () => session),
    ...inlineParts(session, createInlineRuns(cost, overflow)),
    close: () => overflow.close(),
  });
}

/** The inputs that were given, or some that are made up; undefined where the model refuses them. */
async function answeredInputs(
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

function plan(modelBytes: number, options: EngineOptions, { machine, log }: LoadDeps): ThreadPlan {
  const { instances, intraOpThreads } = options;
  const made = planThreads(machine, {
    modelBytes,
    ...(instances === undefined ? {} : { instances }),
    ...(intraOpThreads === undefined ? {} : { intraOpThreads }),
  });
  if (made.note !== undefined) log.warn({ note: made.note }, 'threads limited to the cores');
  return made;
}

/** A session that cannot be served is closed again before its error goes on. */
async function openConfirmed<Session extends HostSession>(
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

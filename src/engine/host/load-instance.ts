import { NimifyError } from '../../base/errors/nimify-error.ts';
import { withoutUnset } from '../../base/util/without-unset.ts';
import type { Artifact } from '../../model/artifact.ts';
import type { EngineInstance, EngineOptions, UsualRun } from '../../model/engine.ts';
import { createInlineRuns, type InlineRuns } from './inline-runs.ts';
import { createHostedInstance, type InstanceParts } from './instance.ts';
import { loadNative } from './load-native.ts';
import { loadProcesses } from './load-processes.ts';
import { answeredInputs, type LoadDeps, openConfirmed, planFor } from './load-steps.ts';
import { loadThreads } from './load-threads.ts';
import { createOverflow } from './overflow.ts';
import { crashWarning, EARLIER, hostFor, keepable, pickHost, processReason } from './pick-host.ts';
import type { ProcessLimits } from './process.ts';
import { createRunCost, type RunExample, sizeOf } from './run-cost.ts';
import type { HostSession, SessionSource } from './session.ts';

/** Slots of an instance on the main thread: a few, so that one turn of the event loop takes several small runs. */
const INLINE_SLOTS = 4;

/** Loads an artifact on the host that the options name, or that a measurement picks. */
export async function loadInstance(
  artifact: Artifact,
  options: EngineOptions,
  deps: LoadDeps,
): Promise<EngineInstance> {
  const { host, memoryLimitBytes, runLimitMs, recycleBytes } = options;
  const hasLimits = memoryLimitBytes !== undefined || runLimitMs !== undefined || recycleBytes !== undefined;
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
  if (recycleBytes !== undefined) throw cannotRecycle(host);
  if (memoryLimitBytes !== undefined) await tryMemory(artifact, memoryLimitBytes, options, deps);
  switch (host) {
    case 'inline':
      return loadInline(artifact, options, deps);
    case 'thread':
      return loadThreads(artifact, options, deps, { reason: 'thread: configured' });
    case 'native':
      return loadNative(artifact, options, deps);
    case 'auto': {
      const whyNotNative = await deps.whyNotNative(planFor(0, options, deps).instances);
      if (whyNotNative === undefined) return loadNative(artifact, options, deps);
      return loadMeasured(artifact, options, deps, `; not native: ${whyNotNative}`);
    }
  }
}

/** A process a session: what goes wrong in one, its memory and its time are kept from everything else. */
async function loadInProcesses(
  artifact: Artifact,
  options: EngineOptions,
  deps: LoadDeps,
  reason: string,
): Promise<EngineInstance> {
  const { memoryLimitBytes, runLimitMs, recycleBytes } = options;
  const { instances, intraOpThreads } = planFor(artifact.sizeBytes, options, deps);
  const limits: ProcessLimits = withoutUnset({ memoryLimitBytes, runLimitMs, recycleBytes });
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
  const { intraOpThreads } = planFor(artifact.sizeBytes, options, deps);
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

function cannotRecycle(host: string): NimifyError {
  return new NimifyError(
    'CONFIG_INVALID',
    `What runs on the host '${host}' is part of the server and cannot be replaced for its size; use the host 'process'`,
    { details: { where: 'recycleBytes' } },
  );
}

/** One session and one slot: more would not run side by side. It gets every core unless told otherwise. */
async function loadInline(
  artifact: Artifact,
  options: EngineOptions,
  deps: LoadDeps,
): Promise<EngineInstance> {
  const { intraOpThreads } = planFor(artifact.sizeBytes, { ...options, instances: 1 }, deps);
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
    run: (inline, request) => runs.run(inline, request),
    ...(session.runNow === undefined ? {} : { runNow: runs.runNow }),
  };
}

/** Loads on the main thread, measures, and stays there or moves out; weights are not kept in both places. */
async function loadMeasured(
  artifact: Artifact,
  options: EngineOptions,
  deps: LoadDeps,
  why: string,
): Promise<EngineInstance> {
  if (artifact.loopOperator !== undefined) {
    const reason = `thread: how long ${artifact.loopOperator} takes depends on the values of a request${why}`;
    return loadThreads(artifact, options, deps, { reason });
  }
  if (options.usualRun !== undefined) return loadAsBefore(artifact, options.usualRun, options, deps, why);
  const source = sourceOf(artifact, options);
  const session = await openConfirmed(deps, () => deps.openInline(source));
  const signature = deps.confirm(session);
  const inputs = await answeredInputs(session, signature, artifact, options, deps);
  const outputs = signature.outputs.map((spec) => spec.name);
  const { host, reason, runNs, isSteady } = await pickHost(session, inputs, outputs);
  const { memoryBytes } = session.info;
  const usualRun =
    inputs === undefined || runNs === undefined
      ? undefined
      : keepable({ ns: runNs, sizeBytes: sizeOf(inputs), memoryBytes }, isSteady);

  if (host === 'thread' || inputs === undefined || runNs === undefined) {
    await session.close();
    return loadThreads(artifact, options, deps, {
      ...{ reason: reason + why, modelBytes: Math.max(artifact.sizeBytes, memoryBytes), usualRun },
      findInputs: async () => inputs,
    });
  }
  const example = { sizeBytes: sizeOf(inputs), computeNs: runNs };
  return keepInline(artifact, session, { reason: reason + why, example, usualRun }, options, deps);
}

/** As a measurement found best at an earlier start. */
async function loadAsBefore(
  artifact: Artifact,
  usualRun: UsualRun,
  options: EngineOptions,
  deps: LoadDeps,
  why: string,
): Promise<EngineInstance> {
  const { ns, sizeBytes, memoryBytes } = usualRun;
  const { host, ...measured } = hostFor(ns, EARLIER);
  const reason = measured.reason + why;
  if (host === 'thread') {
    const modelBytes = Math.max(artifact.sizeBytes, memoryBytes);
    return loadThreads(artifact, options, deps, { reason, modelBytes, usualRun });
  }
  const session = await openConfirmed(deps, () => deps.openInline(sourceOf(artifact, options)));
  const example = { sizeBytes, computeNs: ns };
  return keepInline(artifact, session, { reason, example, usualRun }, options, deps);
}

interface Inline {
  readonly reason: string;
  /** A run that was measured. */
  readonly example: RunExample;
  readonly usualRun: UsualRun | undefined;
}

function keepInline(
  artifact: Artifact,
  session: HostSession,
  { reason, example, usualRun }: Inline,
  options: EngineOptions,
  deps: LoadDeps,
): EngineInstance {
  const overflow = createOverflow({
    maxThreads: planFor(artifact.sizeBytes, options, deps).instances,
    openThread: () => deps.openThread(sourceOf(artifact, options)),
    log: deps.log,
  });
  return createHostedInstance({
    host: 'inline',
    hostReason: reason,
    signature: deps.confirm(session),
    memoryBytes: session.info.memoryBytes,
    usualRun,
    sessions: Array.from({ length: INLINE_SLOTS }, () => session),
    ...inlineParts(session, createInlineRuns(createRunCost(example), overflow)),
    close: () => overflow.close(),
  });
}

function sourceOf({ path }: Artifact, { intraOpThreads = 1 }: EngineOptions): SessionSource {
  return { path, intraOpThreads };
}

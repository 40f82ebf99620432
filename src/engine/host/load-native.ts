import { BORROWED } from '../../base/tensor/owner.ts';
import type { Tensor } from '../../base/tensor/tensor.ts';
import type { Artifact } from '../../model/artifact.ts';
import type { EngineInstance, EngineOptions, RunRequest, UsualRun } from '../../model/engine.ts';
import { AT_ONCE_BELOW_NS, createInlineRuns, LARGE_RUN_NS } from './inline-runs.ts';
import { createHostedInstance } from './instance.ts';
import { answeredInputs, type LoadDeps, openConfirmed, planFor } from './load-steps.ts';
import { loadThreads } from './load-threads.ts';
import {
  EARLIER,
  fastestOf,
  INLINE_BELOW_NS,
  keepable,
  type TimedRuns,
  timeRuns,
  timeText,
} from './pick-host.ts';
import { createRunCost, type RunExample, sizeOf } from './run-cost.ts';
import type { HostSession, SessionSource } from './session.ts';
import type { ThreadPlan } from './thread-plan.ts';

/**
 * Loads one session for all runs. Where those of the usual request are short, they happen within the call that asks, and
 * only longer ones elsewhere; else all happen elsewhere, as many at once as is best.
 */
export async function loadNative(
  artifact: Artifact,
  options: EngineOptions,
  deps: LoadDeps,
): Promise<EngineInstance> {
  const intraOpThreads = options.intraOpThreads ?? 1;
  const source: SessionSource = { path: artifact.path, intraOpThreads };
  const session = await openConfirmed(deps, () => deps.openNative(source));
  const { openFor, closeSpare } = sessionsFrom(session, source, deps);
  try {
    const signature = deps.confirm(session);
    const known = artifact.loopOperator === undefined ? options.usualRun : undefined;
    const measured = known === undefined ? await measure(session, artifact, options, deps) : asBefore(known);
    const { usualRun, example, reason, findInputs } = measured;
    if (example === undefined) {
      return await loadThreads(artifact, options, deps, {
        ...{ host: 'native', reason, open: openFor, usualRun },
        modelBytes: Math.max(artifact.sizeBytes, session.info.memoryBytes),
        ...(findInputs === undefined ? {} : { findInputs }),
      });
    }
    const elsewhere = {
      run: (_: HostSession, ...asked: Parameters<HostSession['run']>) => session.run(...asked),
    };
    const runs = createInlineRuns(createRunCost(example), elsewhere, AT_ONCE_BELOW_NS);
    const inTurn = takeTurns(session);
    return createHostedInstance({
      host: 'native',
      hostReason: reason,
      signature,
      memoryBytes: session.info.memoryBytes,
      usualRun,
      sessions: Array.from({ length: planFor(0, options, deps).instances }, () => inTurn),
      ...runs,
    });
  } catch (failed) {
    await closeSpare();
    throw failed;
  }
}

interface Measured {
  /** A run that is short enough to happen within a call; undefined: it is not, or that is not known. */
  readonly example?: RunExample;
  /** What that means for where runs happen, for people. */
  readonly reason: string;
  readonly usualRun: UsualRun | undefined;
  /** Absent: they have to be looked for. */
  readonly findInputs?: () => Promise<readonly Tensor[] | undefined>;
}

function asBefore(usualRun: UsualRun): Measured {
  const { ns, sizeBytes } = usualRun;
  if (ns >= INLINE_BELOW_NS) return { reason: longer(ns, EARLIER), usualRun };
  return { example: { sizeBytes, computeNs: ns }, reason: short(ns, EARLIER), usualRun };
}

/** The first pay for set-up, and some are interrupted. */
const FEWEST_RUNS = 3;

/** A run elsewhere has to have been short before others hold up the event loop. */
async function measure(
  session: HostSession,
  artifact: Artifact,
  options: EngineOptions,
  deps: LoadDeps,
): Promise<Measured> {
  const signature = deps.confirm(session);
  const inputs = await answeredInputs(session, signature, artifact, options, deps);
  const findInputs = async () => inputs;
  const unknown = (why: string) => ({ reason: `native: ${why}`, usualRun: undefined, findInputs });
  const { loopOperator } = artifact;
  if (loopOperator !== undefined)
    return unknown(`how long ${loopOperator} takes depends on the values of a request`);
  if (inputs === undefined) return unknown('no example request is known, so the time of a run is not');
  const outputs = signature.outputs.map((spec) => spec.name);
  const sizeBytes = sizeOf(inputs);
  const { memoryBytes } = session.info;
  const usual = ({ fastestNs, isSteady }: TimedRuns) =>
    keepable({ ns: fastestNs, sizeBytes, memoryBytes }, isSteady);
  const elsewhere = await timeElsewhere(session, { inputs, outputs, owner: BORROWED });
  if (elsewhere.fastestNs > LARGE_RUN_NS) {
    return { reason: longer(elsewhere.fastestNs), usualRun: usual(elsewhere), findInputs };
  }
  const atOnce = { run: async (request: RunRequest) => session.runNow!(request) };
  const timed = await timeRuns(atOnce, inputs, outputs);
  const runNs = timed.fastestNs;
  const usualRun = usual(timed);
  if (runNs >= INLINE_BELOW_NS) return { reason: longer(runNs), usualRun, findInputs };
  return { example: { sizeBytes, computeNs: runNs }, reason: short(runNs), usualRun, findInputs };
}

/** @param when where it was not measured now */
function longer(ns: number, when = ''): string {
  return `native: a run takes ${timeText(ns)}${when}`;
}

function short(ns: number, when = ''): string {
  return `native: a run takes ${timeText(ns)} within the call${when}; longer ones leave it`;
}

async function timeElsewhere(session: HostSession, request: RunRequest): Promise<TimedRuns> {
  const times: number[] = [];
  while (times.length < FEWEST_RUNS && fastestOf(times).fastestNs > LARGE_RUN_NS) {
    times.push((await session.run(request)).computeNs);
  }
  return fastestOf(times);
}

/** Runs asked for one by one take turns with the rest of the event loop. */
function takeTurns(session: HostSession): HostSession {
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  return {
    ...session,
    async run(request) {
      await turn();
      return session.runNow!(request);
    },
    async close() {
      await turn(); // after the runs that were begun: they come in order
      await session.close();
    },
  };
}

/** Opens sessions for plans, of which the first is there: two with the same threads would be the same. */
function sessionsFrom(first: HostSession, source: SessionSource, deps: LoadDeps) {
  let state: 'spare' | 'used' | 'closed' = 'spare';

  async function closeSpare(): Promise<void> {
    if (state !== 'spare') return;
    state = 'closed';
    await first.close();
  }

  return {
    closeSpare,
    async openFor({ instances, intraOpThreads }: ThreadPlan): Promise<readonly HostSession[]> {
      const isFirst = intraOpThreads === source.intraOpThreads && state !== 'closed';
      if (isFirst) state = 'used';
      // Before the other is there: weights are not kept twice.
      else await closeSpare();
      const session = isFirst ? first : await deps.openNative({ ...source, intraOpThreads });
      return Array.from({ length: instances }, () => session);
    },
  };
}

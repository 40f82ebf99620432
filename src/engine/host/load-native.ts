import { BORROWED } from '../../base/tensor/owner.ts';
import type { Tensor } from '../../base/tensor/tensor.ts';
import type { Artifact } from '../../model/artifact.ts';
import type { EngineInstance, EngineOptions, RunRequest } from '../../model/engine.ts';
import { AT_ONCE_BELOW_NS, createInlineRuns, LARGE_RUN_NS } from './inline-runs.ts';
import { createHostedInstance } from './instance.ts';
import { answeredInputs, type LoadDeps, openConfirmed, planFor } from './load-steps.ts';
import { loadThreads } from './load-threads.ts';
import { fastestRunNs, INLINE_BELOW_NS, timeText } from './pick-host.ts';
import { createRunCost, sizeOf } from './run-cost.ts';
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
    const inputs = await answeredInputs(session, signature, artifact, options, deps);
    const outputs = signature.outputs.map((spec) => spec.name);
    const { runNs, reason } = await measureRun(session, artifact, inputs, outputs);
    if (runNs === undefined || inputs === undefined) {
      return await loadThreads(artifact, options, deps, {
        ...{ host: 'native', reason, open: openFor },
        modelBytes: Math.max(artifact.sizeBytes, session.info.memoryBytes),
        findInputs: async () => inputs,
      });
    }
    const cost = createRunCost({ sizeBytes: sizeOf(inputs), computeNs: runNs });
    const elsewhere = {
      run: (_: HostSession, ...asked: Parameters<HostSession['run']>) => session.run(...asked),
    };
    const runs = createInlineRuns(cost, elsewhere, AT_ONCE_BELOW_NS);
    const inTurn = takeTurns(session);
    return createHostedInstance({
      host: 'native',
      hostReason: reason,
      signature,
      memoryBytes: session.info.memoryBytes,
      sessions: Array.from({ length: planFor(0, options, deps).instances }, () => inTurn),
      ...runs,
    });
  } catch (failed) {
    await closeSpare();
    throw failed;
  }
}

interface Measured {
  /** Of a run that is short enough to happen within a call; undefined: it is not, or that is not known. */
  readonly runNs: number | undefined;
  /** What that means for where runs happen, for people. */
  readonly reason: string;
}

/** The first pay for set-up, and some are interrupted. */
const FEWEST_RUNS = 3;

/** A run elsewhere has to have been short before others hold up the event loop. */
async function measureRun(
  session: HostSession,
  { loopOperator }: Artifact,
  inputs: readonly Tensor[] | undefined,
  outputs: readonly string[],
): Promise<Measured> {
  const isLonger = (why: string) => ({ runNs: undefined, reason: `native: ${why}` });
  if (loopOperator !== undefined)
    return isLonger(`how long ${loopOperator} takes depends on the values of a request`);
  if (inputs === undefined) return isLonger('no example request is known, so the time of a run is not');
  const elsewhereNs = await fastestOf(FEWEST_RUNS, session, { inputs, outputs, owner: BORROWED });
  if (elsewhereNs > LARGE_RUN_NS) return isLonger(`a run takes ${timeText(elsewhereNs)}`);
  const atOnce = { run: async (request: RunRequest) => session.runNow!(request) };
  const runNs = await fastestRunNs(atOnce, inputs, outputs);
  if (runNs >= INLINE_BELOW_NS) return isLonger(`a run takes ${timeText(runNs)}`);
  return { runNs, reason: `native: a run takes ${timeText(runNs)} within the call; longer ones leave it` };
}

async function fastestOf(count: number, session: HostSession, request: RunRequest): Promise<number> {
  let fastestNs = Number.POSITIVE_INFINITY;
  for (let run = 0; run < count && fastestNs > LARGE_RUN_NS; run++) {
    fastestNs = Math.min(fastestNs, (await session.run(request)).computeNs);
  }
  return fastestNs;
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

import { BORROWED } from '../../base/tensor/owner.ts';
import type { Tensor } from '../../base/tensor/tensor.ts';
import type { HostKind, UsualRun } from '../../model/engine.ts';
import type { HostSession } from './session.ts';

/**
 * Runs below this stay on the main thread. A hop to a thread and back takes 130-160 µs when idle (measured: two
 * wake-ups), so a run of 100 µs gains nothing by it, and blocks the event loop for less than one hop would cost.
 */
export const INLINE_BELOW_NS = 100_000;

const HOP_TEXT = 'a hop to a thread about 130 µs';

export interface HostChoice {
  readonly host: HostKind;
  readonly reason: string;
  /** The fastest of the measured runs; undefined where none could be measured. */
  readonly runNs: number | undefined;
  /** Another run took about as long, so that this says little of what else the machine did. Absent: not known. */
  readonly isSteady?: boolean;
}

/** Picks the host from the time of runs on the main thread. `inputs` undefined: no example is known. */
export async function pickHost(
  session: Pick<HostSession, 'run'>,
  inputs: readonly Tensor[] | undefined,
  outputs: readonly string[],
): Promise<HostChoice> {
  if (inputs === undefined) {
    const reason = 'thread: no example request is known, so the time of a run is not';
    return { host: 'thread', reason, runNs: undefined };
  }
  const { fastestNs, isSteady } = await timeRuns(session, inputs, outputs);
  return { ...hostFor(fastestNs), isSteady };
}

/** @param when where it was not now */
export function hostFor(runNs: number, when = ''): HostChoice & { readonly runNs: number } {
  const host = runNs < INLINE_BELOW_NS ? 'inline' : 'thread';
  return { host, reason: `${host}: a run takes ${timeText(runNs)}${when}, ${HOP_TEXT}`, runNs };
}

/** For a reason. */
export const EARLIER = ' (measured at an earlier start)';

/** Close to the limit another measurement might pick the other way, so none of them is kept. */
const CLEAR = 2;

/** The run, where it is worth keeping: what it takes was steady, and leaves no doubt about where it is to happen. */
export function keepable(run: UsualRun, isSteady = false): UsualRun | undefined {
  const isClear = run.ns * CLEAR < INLINE_BELOW_NS || run.ns > INLINE_BELOW_NS * CLEAR;
  return isSteady && isClear ? run : undefined;
}

/** Why `auto` takes processes for a model with an operator that some values crash. */
export function processReason(crashOperator: string): string {
  return `process: some values of a request end the engine in the operator ${crashOperator}`;
}

/** For a model that was configured to run where such values end the server. */
export function crashWarning(crashOperator: string): string {
  return (
    `some values of a request end the server, in the operator ${crashOperator} of this model; the engine host ` +
    "'process' (or 'auto', which picks it) keeps that to a child process"
  );
}

const RUNS = 24;
/** Time for all runs together; a model that uses it up within a few runs is far above the limit. */
const BUDGET_NS = 60_000_000;
/** Runs that are made in any case: the first pays for set-up. */
const FEWEST_RUNS = 3;
/** And not even those where they take longer than this. */
const LONGEST_NS = 500_000_000;

/**
 * The fastest run. The same inputs cost the same every time, so whatever a run takes longer is set-up or the
 * machine's doing: on a busy one most runs may be interrupted, and a median would tell of its neighbours.
 */
export async function timeRuns(
  session: Pick<HostSession, 'run'>,
  inputs: readonly Tensor[],
  outputs: readonly string[],
): Promise<TimedRuns> {
  const times: number[] = [];
  let totalNs = 0;
  for (let run = 0; run < RUNS && (run < FEWEST_RUNS || totalNs < BUDGET_NS); run++) {
    const { computeNs } = await session.run({ inputs, outputs, owner: BORROWED });
    times.push(computeNs);
    totalNs += computeNs;
    if (totalNs > LONGEST_NS) break;
  }
  return fastestOf(times);
}

export interface TimedRuns {
  readonly fastestNs: number;
  /** The next one took about as long. */
  readonly isSteady: boolean;
}

const STEADY_WITHIN = 1.5;

export function fastestOf(times: readonly number[]): TimedRuns {
  const [fastestNs = Number.POSITIVE_INFINITY, nextNs = Number.POSITIVE_INFINITY] = times.toSorted(
    (a, b) => a - b,
  );
  return { fastestNs, isSteady: nextNs <= STEADY_WITHIN * fastestNs };
}

export function timeText(ns: number): string {
  if (ns < 1e6) return `${Math.max(1, Math.round(ns / 1e3))} µs`;
  return ns < 1e9 ? `${(ns / 1e6).toPrecision(3)} ms` : `${(ns / 1e9).toPrecision(3)} s`;
}

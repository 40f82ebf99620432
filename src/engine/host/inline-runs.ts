import type { CancelToken } from '../../base/util/cancel.ts';
import type { RunRequest, RunResult } from '../../model/engine.ts';
import type { Overflow } from './overflow.ts';
import { type RunCost, sizeOf } from './run-cost.ts';
import type { HostSession } from './session.ts';

/** A run predicted to take longer than this does not happen on the main thread: it would hold up every request. */
export const LARGE_RUN_NS = 1_000_000;

/**
 * Nor does one above this happen within the call that asks for it. All requests that came in together would be run
 * one after the other before the event loop sees to anything else; 64 of them hold it up for 13 ms at most. Above,
 * a turn of the loop for each costs little beside the run.
 */
export const AT_ONCE_BELOW_NS = 200_000;

/** Where and when a run of a model on the main thread happens, by what it is predicted to cost. */
export interface InlineRuns {
  /** Runs inline, or where `overflow` says if the run is predicted to be large. */
  run(inline: HostSession, request: RunRequest, cancel?: CancelToken): Promise<RunResult>;
  /** Runs inline before it returns; undefined: the run may be too long for that, and was not begun. */
  runNow(inline: HostSession, request: RunRequest): RunResult | undefined;
}

/**
 * @param overflow takes large runs; without one they happen inline too
 * @param largeRunNs which runs are large
 */
export function createInlineRuns(
  cost: RunCost,
  overflow?: Pick<Overflow, 'run'>,
  largeRunNs = LARGE_RUN_NS,
): InlineRuns {
  return {
    async run(inline, request, cancel) {
      const sizeBytes = sizeOf(request.inputs);
      const isLarge = overflow !== undefined && cost.predictNs(sizeBytes) > largeRunNs;
      const result = await (isLarge ? overflow.run(inline, request, cancel) : inline.run(request));
      cost.observe(sizeBytes, result.computeNs);
      return result;
    },
    runNow(inline, request) {
      const sizeBytes = sizeOf(request.inputs);
      if (cost.predictNs(sizeBytes) > AT_ONCE_BELOW_NS) return undefined;
      const result = inline.runNow?.(request);
      if (result !== undefined) cost.observe(sizeBytes, result.computeNs);
      return result;
    },
  };
}

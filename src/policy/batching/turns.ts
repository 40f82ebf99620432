import type { CostModel } from './contract.ts';
import { createGatherTrial } from './gather-trial.ts';
import type { Lane } from './ticket.ts';

/** What one turn of the event loop brings, and whether it is worth while to wait for its end. */
export interface Turns {
  /** Rows arrived in this turn. */
  arrived(rows: number): void;
  /** Would it pay to gather what arrives in a turn and to run it together? */
  pays(lane: Lane, costs: CostModel): boolean;
}

/**
 * Until it has been compared: what a request costs more that is not answered within the call that asks. Promises, timers,
 * a place in the queue.
 */
const DETOUR_NS = 35_000;
/** One in so many requests has the next turn counted: a count costs two callbacks of the loop. */
const COUNT_EVERY = 16;
const WEIGHT = 0.25;
/** Fewer rows a turn are not worth a trial. */
const FEWEST_ROWS = 1.5;

/**
 * @param deps.soon calls back at the end of the turn: `setImmediate`
 * @param deps.cpuNs CPU time since any moment
 */
export function createTurns(deps: {
  readonly soon: (callback: () => void) => void;
  readonly cpuNs: () => number;
  readonly nowNs: () => number;
}): Turns {
  const { soon } = deps;
  const trial = createGatherTrial(deps);
  let mean = 1;
  let version = 0;
  let uncounted = COUNT_EVERY;
  let state: 'idle' | 'wanted' | 'ready' | 'counting' = 'idle';
  let count = 0;
  /** Something was saved by the last that was asked for. */
  let saves = false;

  // From its beginning: one that is under way has brought some rows already.
  function begin(): void {
    state = 'ready';
  }

  function end(): void {
    mean += (count - mean) * WEIGHT;
    version += 1;
    state = 'idle';
    uncounted = 0;
  }

  /** What a row takes less in a run of all that a turn brings. */
  function savedNs(lane: Lane, costs: CostModel): number {
    if (lane.savedSince !== version) {
      lane.savedSince = version;
      const rows = Math.max(1, Math.min(Math.round(mean), lane.mostRows));
      const saved = costs.typicalNs(lane.shape, 1) - costs.typicalNs(lane.shape, rows) / rows;
      lane.savedNs = Number.isFinite(saved) ? saved : 0;
    }
    return lane.savedNs;
  }

  return {
    arrived(rows) {
      trial.arrived(saves && mean >= FEWEST_ROWS);
      if (state === 'counting') count += rows;
      else if (state === 'ready') {
        state = 'counting';
        count = rows;
        soon(end);
      } else if (state === 'idle' && ++uncounted >= COUNT_EVERY) {
        state = 'wanted';
        soon(begin);
      }
    },
    pays(lane, costs) {
      if (mean < FEWEST_ROWS || !lane.joins) return false;
      const saved = savedNs(lane, costs);
      saves = saved > 0;
      return saves && (trial.shouldGather ?? saved > DETOUR_NS);
    },
  };
}

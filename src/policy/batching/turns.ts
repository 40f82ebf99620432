import type { CostModel } from './contract.ts';
import type { Lane } from './ticket.ts';

/** What one turn of the event loop brings, and whether it is worth while to wait for its end. */
export interface Turns {
  /** Rows arrived in this turn. */
  arrived(rows: number): void;
  /** Would it pay to gather what arrives in a turn and to run it together? */
  pays(lane: Lane, costs: CostModel): boolean;
}

/** What a request costs more that is not answered within the call that asks: promises, timers, a place in the queue. */
const DETOUR_NS = 35_000;
/** One in so many requests has the next turn counted: a count costs two callbacks of the loop. */
const COUNT_EVERY = 16;
const WEIGHT = 0.25;
/** Every so many counts nothing is gathered until the next. */
const ALONE_EVERY = 32;

/** @param soon calls back at the end of the turn: `setImmediate` */
export function createTurns(soon: (callback: () => void) => void): Turns {
  let mean = 1;
  let version = 0;
  let uncounted = COUNT_EVERY;
  let state: 'idle' | 'wanted' | 'ready' | 'counting' = 'idle';
  let count = 0;

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

  return {
    arrived(rows) {
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
      if (mean < 1.5 || !lane.joins) return false;
      if (lane.gathersSince !== version) {
        lane.gathersSince = version;
        const aloneNs = costs.typicalNs(lane.shape, 1);
        const rows = Math.max(1, Math.min(Math.round(mean), lane.mostRows));
        const savedNs = aloneNs - costs.typicalNs(lane.shape, rows) / rows;
        // What a run alone takes is learned from such runs only.
        const isTrial = version % ALONE_EVERY === 0;
        lane.gathers = Number.isFinite(aloneNs) && savedNs > DETOUR_NS && !isTrial;
      }
      return lane.gathers;
    },
  };
}

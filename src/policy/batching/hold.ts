/** Why a free slot is left free for a while. */
export interface Hold {
  /** Nothing is run before the turn of the event loop is over. */
  readonly isTurnOpen: boolean;
  /** When the wait ends that is under way. Infinity: there is none. */
  readonly untilNs: number;
  /** The wait that was is over: whatever came or not, now it is run. */
  readonly isOver: boolean;
  /** Waits for the end of the turn. */
  openTurn(): void;
  wait(untilNs: number): void;
  end(): void;
  /** Time went on. `run` is called with the wait over where it is. */
  passed(nowNs: number, run: () => void): void;
}

/**
 * A slot is held for a time, by a timer of the caller's, or for a turn of the event loop: timers are no finer than a
 * millisecond. A turn that brought nobody is not followed by another.
 */
export function createHold(deps: {
  readonly soon: (callback: () => void) => void;
  readonly timerStepNs: number;
  /** Those that came so far. */
  readonly arrivals: () => number;
  readonly onTurnEnd: () => void;
}): Hold {
  let isTurnOpen = false;
  let untilNs = Number.POSITIVE_INFINITY;
  let isOver = false;
  let arrivalsBefore = 0;

  function endTurn(): void {
    isTurnOpen = false;
    isOver = deps.arrivals() === arrivalsBefore;
    deps.onTurnEnd();
    isOver = false;
  }

  return {
    get isTurnOpen() {
      return isTurnOpen;
    },
    get untilNs() {
      return untilNs;
    },
    get isOver() {
      return isOver;
    },
    openTurn() {
      if (isTurnOpen) return;
      isTurnOpen = true;
      arrivalsBefore = deps.arrivals();
      deps.soon(endTurn);
    },
    wait(until) {
      untilNs = until;
    },
    end() {
      untilNs = Number.POSITIVE_INFINITY;
      isOver = false;
    },
    passed(nowNs, run) {
      isOver = untilNs - nowNs <= deps.timerStepNs / 2;
      if (isOver) untilNs = Number.POSITIVE_INFINITY;
      run();
      isOver = false;
    },
  };
}

import type { Clock, Timer } from '../../base/util/clock.ts';
import { type CallWindow, createCountWindow, createTimeWindow, FAULT, SLOW } from './window.ts';

export interface CircuitOptions {
  /** Calls that are looked at. Default the last 100. */
  readonly calls?: number;
  /** Looks at the calls of so long instead. */
  readonly windowMs?: number;
  /** No fewer calls say anything. Default 20. */
  readonly minCalls?: number;
  /** Share of faults from which on the backend is left alone. Default 0.5. */
  readonly errorRate?: number;
  /** Share of slow calls, from which on it is, too. Default 0.5; which calls are slow is the caller's to say. */
  readonly slowRate?: number;
  /** Calls that are let through to try it, all of which have to be answered. Default 3. */
  readonly probes?: number;
  /** Time for which it is left alone at first. Default 1000. */
  readonly openMs?: number;
  /** Each further time is twice as long, up to this. Default 8000. */
  readonly maxOpenMs?: number;
}

export type CircuitState = 'closed' | 'open' | 'half-open';

export interface CircuitReport {
  readonly state: CircuitState;
  /** Somebody said so, and it stays until somebody says otherwise. */
  readonly isForced: boolean;
  readonly calls: number;
  readonly faults: number;
  readonly slow: number;
  /** Time until the backend is tried again; 0 where it is not being left alone. */
  readonly retryAfterMs: number;
}

/** Is the backend ready? */
export type Probe = () => Promise<boolean>;

export type CircuitListener = (state: CircuitState, report: CircuitReport) => void;

/** Whether a backend is asked: one for each, shared by all who use it. */
export interface Circuit {
  readonly state: CircuitState;
  /** Would a call be refused now? Takes nothing. */
  readonly isRefusing: boolean;
  /** A permit for one call, to be given back by `end`, once; 0: leave the backend alone. */
  begin(): number;
  /** @param outcome of the call, as the bits of a window; undefined: it says nothing of the backend */
  end(permit: number, outcome: number | undefined): void;
  /** Opens it until `close` or `reset`. */
  open(): void;
  /** Closes it, whatever calls come to, until `open` or `reset`. */
  close(): void;
  /** As at the beginning: closed, with nothing noted. */
  reset(): void;
  read(): CircuitReport;
  onChange(listener: CircuitListener): void;
  /**
   * From now on this tells whether the backend is ready, and no call is tried before it is. The first time it is believed,
   * and the circuit closes; where it opens again soon, calls are tried as well.
   * @returns what takes it back: then whoever was asked before it is asked again
   */
  probeWith(probe: Probe): () => void;
  /** The backend says that it is ready: it is tried now, where it is being left alone. */
  hasten(): void;
}

/**
 * A circuit breaker (M. Nygard, Release It!, 2007) with the window, rates and half-open state of Resilience4j's. A permit
 * is the number of the state's change that it was given in, so that what a call of an earlier state comes to is not taken
 * for what a probe does.
 */
export function createCircuit(clock: Clock, options: CircuitOptions = {}): Circuit {
  const { minCalls = 20, errorRate = 0.5, slowRate = 0.5, probes = 3 } = options;
  const { openMs = 1000, maxOpenMs = Math.max(openMs, 8000) } = options;
  const window = windowOf(clock, options);
  // Fewer than it takes to say anything can be in the window: then a full one says it.
  const enough = options.windowMs === undefined ? Math.min(minCalls, options.calls ?? 100) : minCalls;
  const listeners: CircuitListener[] = [];
  let state: CircuitState = 'closed';
  let isForced = false;
  /** Changes of state; never 0, which is no permit. */
  let epoch = 1;
  let openings = 0;
  let closedAtNs = 0;
  let openUntilNs = 0;
  let begun = 0;
  let succeeded = 0;
  let timer: Timer | undefined;
  let isProbing = false;
  /** The last is asked. */
  let probers: readonly Probe[] = [];

  function change(next: CircuitState): void {
    timer?.cancel();
    timer = undefined;
    isProbing = false;
    const report = { ...read(), state: next };
    const isOther = next !== state;
    state = next;
    epoch += 1;
    begun = 0;
    succeeded = 0;
    if (next === 'closed') {
      window.clear();
      closedAtNs = clock.nowNs();
    }
    if (isOther) for (const listener of listeners) listener(next, report);
  }

  /** For twice as long as the last time, unless it has been well for a while since. */
  function trip(): void {
    const nowNs = clock.nowNs();
    if (state === 'closed' && nowNs - closedAtNs > maxOpenMs * 1e6) openings = 0;
    openings += 1;
    const longestMs = Math.min(maxOpenMs, openMs * 2 ** (openings - 1));
    // Half of it is drawn, so that many who lost the same backend do not come back to it at once.
    const forMs = longestMs / 2 + (clock.random() * longestMs) / 2;
    openUntilNs = nowNs + forMs * 1e6;
    change('open');
    if (probers.length > 0) timer = clock.setTimer(tryBackend, forMs);
  }

  /** Asks the backend itself, and lets no call through before it has answered. */
  function tryBackend(): void {
    const probe = probers.at(-1);
    if (probe === undefined) return;
    const at = epoch;
    const settle = (isReady: boolean) => {
      if (epoch !== at) return;
      // Who said so before, and failed all the same, is tried with a few calls first.
      if (isReady) change(openings === 1 ? 'closed' : 'half-open');
      else trip();
    };
    isProbing = true;
    timer = clock.setTimer(() => settle(false), maxOpenMs);
    probe().then(settle, () => settle(false));
  }

  function judge(): void {
    const { calls } = window;
    if (calls < enough) return;
    if (window.faults >= errorRate * calls || window.slow >= slowRate * calls) trip();
  }

  function endProbe(outcome: number | undefined): void {
    if (outcome === undefined) begun -= 1;
    else if (outcome !== 0) trip();
    else if (++succeeded === probes) change('closed');
  }

  function isRefusing(): boolean {
    if (state === 'closed') return false;
    if (state === 'half-open') return begun >= probes;
    return isForced || probers.length > 0 || clock.nowNs() < openUntilNs;
  }

  function read(): CircuitReport {
    const leftMs = state === 'open' && !isForced ? (openUntilNs - clock.nowNs()) / 1e6 : 0;
    const { calls, faults, slow } = window;
    return { state, isForced, calls, faults, slow, retryAfterMs: Math.max(0, leftMs) };
  }

  function force(next: CircuitState): void {
    isForced = true;
    change(next);
  }

  return {
    get state() {
      return state;
    },
    get isRefusing() {
      return isRefusing();
    },
    begin() {
      if (state === 'closed') return epoch;
      if (isRefusing()) return 0;
      if (state === 'open') change('half-open');
      begun += 1;
      return epoch;
    },
    end(permit, outcome) {
      if (permit !== epoch) return;
      if (state === 'half-open') endProbe(outcome);
      else if (outcome !== undefined) {
        window.note(outcome);
        if ((outcome & (FAULT | SLOW)) !== 0 && !isForced) judge();
      }
    },
    open: () => force('open'),
    close: () => force('closed'),
    reset() {
      isForced = false;
      openings = 0;
      change('closed');
    },
    read,
    onChange: (listener) => void listeners.push(listener),
    probeWith(probe) {
      probers = [...probers, probe];
      return () => {
        probers = probers.filter((each) => each !== probe);
      };
    },
    hasten() {
      if (state !== 'open' || isForced) return;
      openUntilNs = clock.nowNs();
      if (isProbing) return;
      timer?.cancel();
      tryBackend();
    },
  };
}

function windowOf(clock: Clock, { calls = 100, windowMs }: CircuitOptions): CallWindow {
  return windowMs === undefined ? createCountWindow(calls) : createTimeWindow(clock.nowNs, windowMs);
}

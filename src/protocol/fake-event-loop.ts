import type { RequestInstruments } from '../base/telemetry/request-instruments.ts';
import { createFakeClock, type FakeClock } from '../base/util/fake-clock.ts';

export interface FakeEventLoopOptions {
  /** What a turn takes that does not sleep. Default 2 µs. */
  readonly turnNs?: number;
  /** How much later than called for the loop comes out of its sleep. Default 50 µs. */
  readonly wakeNs?: number;
  /** What a request takes. Default 20 µs. */
  readonly serviceNs?: number;
  /** For how long somebody else has the core after a turn, by what time it is. Default: never. */
  readonly stolenNs?: (nowNs: number) => number;
}

/** An event loop in simulated time, with a server on it that answers one request after the other. */
export interface FakeEventLoop {
  readonly clock: FakeClock;
  /** As `setImmediate`. */
  readonly soon: (callback: () => void) => void;
  readonly turns: number;
  /** Turns until a request has come, and serves it. */
  serveAt(instruments: RequestInstruments, atNs: number): void;
  /** The same for a request that is sent `afterNs` after the loop has gone to sleep, and no sooner. */
  serveAsleep(instruments: RequestInstruments, afterNs: number): void;
  /** Turns until nothing is to be called back. */
  runOut(): void;
}

const NEVER = Number.POSITIVE_INFINITY;

export function createFakeEventLoop(options: FakeEventLoopOptions = {}): FakeEventLoop {
  const { turnNs = 2000, wakeNs = 50_000, serviceNs = 20_000, stolenNs = () => 0 } = options;
  const clock = createFakeClock();
  let immediates: (() => void)[] = [];
  let turns = 0;

  function pass(ns: number): void {
    clock.advance(ns / 1e6);
  }

  function turn(): void {
    turns += 1;
    pass(turnNs + stolenNs(clock.nowNs()));
    const due = immediates;
    immediates = [];
    for (const callback of due) callback();
  }

  function turnUntil(atNs: number): void {
    while (immediates.length > 0 && clock.nowNs() < atNs) turn();
  }

  function serveAt(instruments: RequestInstruments, atNs: number): void {
    turnUntil(atNs);
    const nowNs = clock.nowNs();
    if (nowNs < atNs) pass(atNs - nowNs + wakeNs);
    instruments.begin();
    pass(serviceNs);
    instruments.end({ ...OUTCOME, totalNs: serviceNs });
  }

  return {
    clock,
    soon: (callback) => void immediates.push(callback),
    get turns() {
      return turns;
    },
    serveAt,
    serveAsleep(instruments, afterNs) {
      turnUntil(NEVER);
      serveAt(instruments, clock.nowNs() + afterNs);
    },
    runOut: () => turnUntil(NEVER),
  };
}

const OUTCOME = {
  model: 'm',
  version: '1',
  route: '/v2/models/{model}/infer',
  code: 'OK',
  ...{ decodeNs: 0, queueNs: 0, computeNs: 0, encodeNs: 0 },
} as const;

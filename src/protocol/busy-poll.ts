import type { MetricsRegistry } from '../base/telemetry/metrics.ts';
import type { RequestInstruments } from '../base/telemetry/request-instruments.ts';
import type { Clock } from '../base/util/clock.ts';
import { createPollTrial } from './poll-trial.ts';

export interface BusyPollDeps {
  readonly clock: Clock;
  readonly metrics: MetricsRegistry;
  /** Calls back in the next turn of the event loop, which does not sleep before that. Default `setImmediate`. */
  readonly soon?: (callback: () => void) => void;
}

/** How long the event loop polls after an answer. A client on the same machine is back in less. */
const WINDOW_NS = 200_000;
/** What may be polled in vain: so much at first, and whenever nothing was for a while, */
const FREE_CREDIT_NS = 40e6;
/** this share of the time, */
const CREDIT_SHARE = 0.005;
/** and this for each poll that a request ended: less than what a wake-up takes, and a fifth of a poll in vain. */
const HIT_EARNS_NS = 20_000;
/** Enough for the pauses that every machine makes, whether it polls or sleeps: collections of garbage, other tenants. */
const MOST_CREDIT_NS = 100e6;
/** A process that was stopped for an hour need not repay it. */
const MOST_DEBT_NS = 100e6;

/**
 * Lets the event loop poll for a short while after an answer, where nothing else is open, instead of sleeping in the
 * system: to be woken takes longer than a small request. After the halt-polling of virtual machines (Linux,
 * Documentation/virt/kvm/halt-polling.rst), which adapts to success as well.
 *
 * It polls where a trial says that it pays, and on credit: time in vain is paid for, a request that comes
 * earns some. The time counts by the clock, so that a process whose core was taken away while it polled, because others need
 * it or its quota is used up, stays away from it for seconds.
 *
 * A pending immediate keeps the process alive, but no longer than the window.
 *
 * @returns what counts requests for `inner` and polls between them
 */
export function pollBetween(
  inner: RequestInstruments,
  { clock, metrics, soon = setImmediate }: BusyPollDeps,
): RequestInstruments {
  const trial = createPollTrial();
  const { hitSeconds, vainSeconds } = createCounters(metrics, () => trial.timeRatio);
  let open = 0;
  let idleSinceNs = clock.nowNs();
  let isPolling = false;
  let isTurning = false;
  let creditNs = FREE_CREDIT_NS;
  let creditAtNs = idleSinceNs;

  function turn(): void {
    isTurning = false;
    if (!isPolling) return;
    const polledNs = clock.nowNs() - idleSinceNs;
    if (open > 0) settle(polledNs, polledNs <= WINDOW_NS);
    else if (polledNs >= WINDOW_NS) settle(polledNs, false);
    else turnSoon();
  }

  function turnSoon(): void {
    if (isTurning) return;
    isTurning = true;
    soon(turn);
  }

  function settle(polledNs: number, isHit: boolean): void {
    isPolling = false;
    if (isHit) {
      creditNs = Math.min(MOST_CREDIT_NS, creditNs + HIT_EARNS_NS);
      hitSeconds.inc(Math.max(0, polledNs) / 1e9);
    } else {
      creditNs = Math.max(-MOST_DEBT_NS, creditNs - polledNs);
      vainSeconds.inc(polledNs / 1e9);
    }
  }

  function refill(nowNs: number): void {
    const dueNs = (nowNs - creditAtNs) * CREDIT_SHARE;
    if (creditNs < FREE_CREDIT_NS) creditNs = Math.min(FREE_CREDIT_NS, creditNs + dueNs);
    creditAtNs = nowNs;
  }

  return {
    begin() {
      open += 1;
      inner.begin();
    },
    end(outcome) {
      inner.end(outcome);
      open -= 1;
      const nowNs = clock.nowNs();
      const gapNs = nowNs - outcome.totalNs - idleSinceNs;
      if (isPolling) settle(gapNs, gapNs <= WINDOW_NS);
      refill(nowNs);
      const canPoll = creditNs >= WINDOW_NS;
      trial.answered(gapNs, nowNs, canPoll);
      idleSinceNs = nowNs;
      if (open > 0 || !canPoll || !trial.shouldPoll) return;
      isPolling = true;
      turnSoon();
    },
  };
}

function createCounters(metrics: MetricsRegistry, timeRatio: () => number) {
  const seconds = metrics.counter(
    'nimify_busy_poll_seconds',
    'Time in which the event loop polled for a request instead of sleeping: until one came, or in vain.',
    ['result'],
  );
  const ratio = metrics
    .gauge(
      'nimify_busy_poll_time_ratio',
      'Time for a request with polling, as a share of that without, when it was last compared; 1 before.',
    )
    .labels();
  metrics.onCollect(() => ratio.set(timeRatio()));
  return { hitSeconds: seconds.labels('request'), vainSeconds: seconds.labels('none') };
}

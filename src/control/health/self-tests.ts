import { NimifyError, toNimifyError } from '../../base/errors/nimify-error.ts';
import type { ErrorCode } from '../../base/errors/table.ts';
import type { EventSink } from '../../base/telemetry/events.ts';
import type { Logger } from '../../base/telemetry/log.ts';
import type { Clock, Timer } from '../../base/util/clock.ts';
import { createContext, SELF_TEST } from '../../model/context.ts';
import { createInferRequest } from '../../model/request.ts';
import type { ServedModel } from '../../registry/contract.ts';
import type { MutableRegistry } from '../../registry/registry.ts';

export interface SelfTestDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: EventSink;
  readonly registry: Pick<MutableRegistry, 'list' | 'setAnswering'>;
}

export interface SelfTests {
  /** A request failed: where that may be the model's fault, it is asked whether it still answers what it is known to. */
  noteFailure(served: ServedModel, failure: unknown): void;
  stop(): void;
}

/** What a model that is dead answers with; everything else says something of the request or of the load. */
const MAY_BE_DEAD: ReadonlySet<ErrorCode> = new Set([
  'ENGINE_FAILED',
  'ENGINE_CRASHED',
  'INTERNAL',
  'DEADLINE_EXCEEDED',
]);

/** What its breaker answers for it: nobody reaches it. */
const LEFT_ALONE: ErrorCode = 'CIRCUIT_OPEN';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** Longest time for an answer. */
const LIMIT_MS = 10_000;
/** One may have met an instance that was just dying. */
const FAILURES_UNTIL_SILENT = 2;
/** The most urgent: whether the model answers is asked of the model, and not of those who wait for it. */
const PRIORITY = 1;

interface Check {
  failures: number;
  /** Before the next test; it doubles from each to the next, and begins anew where nothing failed for so long. */
  pauseMs: number;
  lastNs: number;
  timer: Timer | undefined;
}

/**
 * Finds out whether models that fail requests still answer: by the request of their self-test, which is known to work,
 * through all that a client's goes through. One that fails it twice is not ready, and tried until it answers again. A
 * test costs a run, so that pauses between them grow up to half a minute, with half of each drawn at random.
 */
export function createSelfTests({ clock, log, events, registry }: SelfTestDeps): SelfTests {
  const checks = new WeakMap<ServedModel, Check>();
  const timers = new Set<Timer>();
  let isStopped = false;

  function checkOf(served: ServedModel): Check {
    const known = checks.get(served);
    if (known !== undefined) return known;
    const check = { failures: 0, pauseMs: 0, lastNs: Number.NEGATIVE_INFINITY, timer: undefined };
    checks.set(served, check);
    return check;
  }

  function schedule(served: ServedModel, check: Check): void {
    if (isStopped) return;
    const delayMs = check.pauseMs * (0.5 + clock.random() / 2);
    const timer = clock.setTimer(() => {
      timers.delete(timer);
      void test(served, check);
    }, delayMs);
    check.timer = timer;
    timers.add(timer);
  }

  async function test(served: ServedModel, check: Check): Promise<void> {
    const outcome = await ask(served);
    check.timer = undefined;
    check.lastNs = clock.nowNs();
    // A breaker that refuses a test costs nothing, and closes when it will.
    check.pauseMs =
      outcome instanceof NimifyError && outcome.code === LEFT_ALONE
        ? FIRST_PAUSE_MS
        : Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, check.pauseMs * 2));
    if (isStopped || !registry.list().includes(served)) return;
    if (outcome === 'answered') {
      if (check.failures >= FAILURES_UNTIL_SILENT) recovered(served);
      check.failures = 0;
      return;
    }
    if (outcome !== 'not asked') {
      check.failures += 1;
      if (check.failures === FAILURES_UNTIL_SILENT) silent(served, outcome);
    }
    schedule(served, check);
  }

  function silent(served: ServedModel, error: NimifyError): void {
    const { name: model, version } = served;
    registry.setAnswering(served, false);
    log.error({ model, version, err: error }, 'not ready: the model fails its self-test');
    const message = `its self-test failed ${FAILURES_UNTIL_SILENT} times: ${error.code}`;
    events.report({ type: 'model-degraded', model, version, message, done: 'tries it on and on' });
  }

  function recovered(served: ServedModel): void {
    const { name: model, version } = served;
    registry.setAnswering(served, true);
    log.info({ model, version }, 'ready again: the model answers its self-test');
    events.report({ type: 'model-recovered', model, version, message: 'it answers its self-test again' });
  }

  async function ask({ model, name, example }: ServedModel): Promise<'answered' | 'not asked' | NimifyError> {
    const request = createInferRequest({ model: name, inputs: example?.inputs ?? [] });
    const deadlineAtNs = clock.nowNs() + LIMIT_MS * 1e6;
    try {
      const context = createContext({ deadlineAtNs, priority: PRIORITY, principal: SELF_TEST });
      const response = await model.infer(request, context);
      response.owner.release();
      return 'answered';
    } catch (failed) {
      const error = toNimifyError(failed);
      return MAY_BE_DEAD.has(error.code) || error.code === LEFT_ALONE ? error : 'not asked';
    }
  }

  return {
    noteFailure(served, failure) {
      if (isStopped || served.example === undefined) return;
      if (failure instanceof NimifyError && !MAY_BE_DEAD.has(failure.code)) return;
      const check = checkOf(served);
      if (check.timer !== undefined) return;
      if (clock.nowNs() - check.lastNs > LONGEST_PAUSE_MS * 1e6) check.pauseMs = 0;
      schedule(served, check);
    },
    stop() {
      isStopped = true;
      for (const timer of timers) timer.cancel();
      timers.clear();
    },
  };
}

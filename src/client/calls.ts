import { setMaxListeners } from 'node:events';
import { NimifyError } from '../base/errors/nimify-error.ts';
import { type CancelSource, type CancelToken, createCancelSource } from '../base/util/cancel.ts';
import { type Clock, systemClock } from '../base/util/clock.ts';
import type { CallOptions, ClientOptions } from './contract.ts';
import { DEFAULT_RETRY, delayBeforeRetry, type RetryOptions, wasNotRun } from './retry.ts';

/** What one attempt has to obey. */
export interface CallTime {
  /** What is left of the call's time, in milliseconds; it goes to the server. */
  remainingMs(): number;
  /** Fires when the time is over, or the caller wants no answer any more. */
  readonly cancel: CancelToken;
}

/** Deadlines, cancellation and retries, the same for every transport. */
export interface Calls {
  /** @throws what `attempt` last threw; NimifyError DEADLINE_EXCEEDED, CANCELLED, CONFIG_INVALID */
  run<T>(attempt: (time: CallTime) => Promise<T>, options?: CallOptions, how?: 'once'): Promise<T>;
  /** From now on no call begins, and none is tried again. */
  close(): void;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const LONGEST_INTERVAL_MS = 2 ** 31 - 1;

/** @throws NimifyError CONFIG_INVALID */
export function createCalls(options: ClientOptions): Calls {
  const { url, clock = systemClock } = options;
  const retry: RetryOptions = { ...DEFAULT_RETRY, ...options.retry };
  const defaultTimeoutMs = toTimeoutMs(options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  if (!(Number.isInteger(retry.attempts) && retry.attempts >= 1)) {
    throw misuse('retry.attempts', 'an integer from 1', retry.attempts);
  }
  let isClosed = false;

  async function run<T>(
    attempt: (time: CallTime) => Promise<T>,
    { timeoutMs = defaultTimeoutMs, signal }: CallOptions = {},
    how?: 'once',
  ): Promise<T> {
    if (isClosed)
      throw new NimifyError('CANCELLED', `the client of ${url} has been closed; make another one`);
    const endsAtNs = clock.nowNs() + toTimeoutMs(timeoutMs) * 1e6;
    const cancel = createCancelSource();
    const time = { cancel, remainingMs: () => (endsAtNs - clock.nowNs()) / 1e6 };
    const timer = clock.setTimer(() => cancel.cancel('deadline'), timeoutMs);
    const leave = () => cancel.cancel('client-left');
    if (signal?.aborted) leave();
    // One signal may end many calls at once, which is no leak: each takes its listener back.
    if (signal !== undefined) setMaxListeners(0, signal);
    signal?.addEventListener('abort', leave, { once: true });
    try {
      for (let tried = 1; ; tried += 1) {
        if (cancel.cancelled) throw ended(cancel, url, timeoutMs);
        try {
          return await attempt(time);
        } catch (thrown) {
          // Whatever the transport made of being stopped.
          if (cancel.cancelled) throw ended(cancel, url, timeoutMs);
          const isLast = how === 'once' || tried >= retry.attempts || isClosed;
          if (isLast || !(thrown instanceof NimifyError) || !wasNotRun(thrown)) throw thrown;
          const delayMs = delayBeforeRetry(thrown, tried, retry, clock);
          if (delayMs >= time.remainingMs()) throw thrown;
          await wait(delayMs, cancel, clock);
          if (isClosed) throw thrown;
        }
      }
    } finally {
      timer.cancel();
      signal?.removeEventListener('abort', leave);
    }
  }

  return {
    run,
    close() {
      isClosed = true;
    },
  };
}

/** Ends early where the call does. */
function wait(delayMs: number, cancel: CancelToken, clock: Clock): Promise<void> {
  // The clock's timers let the process end, which it must not while somebody waits for the answer.
  const hold = setInterval(() => {}, LONGEST_INTERVAL_MS);
  return new Promise((resolve) => {
    const timer = clock.setTimer(done, delayMs);
    cancel.on(done);
    function done(): void {
      clearInterval(hold);
      timer.cancel();
      cancel.off(done);
      resolve();
    }
  });
}

function toTimeoutMs(timeoutMs: number): number {
  if (timeoutMs > 0 && Number.isFinite(timeoutMs)) return timeoutMs;
  throw misuse('timeoutMs', 'a number above 0', timeoutMs);
}

function misuse(where: string, expected: string, got: number): NimifyError {
  return new NimifyError('CONFIG_INVALID', `${where}: expected ${expected}, got ${got}`, {
    details: { where, expected, got },
  });
}

function ended({ reason }: CancelSource, url: string, timeoutMs: number): NimifyError {
  if (reason !== 'deadline') return new NimifyError('CANCELLED', `the request to ${url} was cancelled`);
  const limit = `${Math.round(timeoutMs)} ms`;
  return new NimifyError(
    'DEADLINE_EXCEEDED',
    `${url} did not answer within ${limit}; allow more time or send less at once`,
    { details: { where: url, expected: `an answer within ${limit}` } },
  );
}

import type { Clock } from '../../base/util/clock.ts';
import type { Posted } from './post-json.ts';

export interface Letter {
  /** The same each time that it is sent, so that a receiver may know it again. */
  readonly id: string;
  readonly body: string;
}

export interface DeliveryDeps {
  readonly clock: Clock;
  readonly send: (letter: Letter, signal: AbortSignal) => Promise<Posted>;
  readonly onTaken: (letter: Letter) => void;
  /** It is not tried again. */
  readonly onGivenUp: (letter: Letter, reason: string) => void;
}

export interface Delivery {
  push(letter: Letter): void;
  /** Each letter that waits is tried once more, as long as there is time; the others are given up. */
  close(graceMs: number): Promise<void>;
}

/** About two minutes in all, by which time most restarts are over. */
const ATTEMPTS = 8;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;
/** Letters that wait. Of more, the oldest is given up: what is newest matters most. */
const MOST_WAITING = 256;

/**
 * Delivers letters in their order, one at a time. Between attempts lie pauses that double, each cut short by chance ("full
 * jitter"; Brooker: Exponential Backoff and Jitter, 2015), so that many servers do not come back at once.
 */
export function createDelivery({ clock, send, onTaken, onGivenUp }: DeliveryDeps): Delivery {
  const waiting: Letter[] = [];
  const abort = new AbortController();
  let working: Promise<void> | undefined;
  let isClosing = false;
  let wake = () => {};

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = clock.setTimer(resolve, ms);
      wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  async function deliver(letter: Letter): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const posted = await send(letter, abort.signal);
      if (posted === 'taken') return onTaken(letter);
      if (!posted.mayRetry || attempt >= ATTEMPTS || isClosing) return onGivenUp(letter, posted.reason);
      const longestMs = Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), LONGEST_PAUSE_MS);
      await pause(Math.max(longestMs * clock.random(), Math.min(posted.retryAfterMs ?? 0, LONGEST_PAUSE_MS)));
    }
  }

  async function work(): Promise<void> {
    for (let letter = waiting.shift(); letter !== undefined; letter = waiting.shift()) {
      if (abort.signal.aborted) onGivenUp(letter, 'the server ended');
      else await deliver(letter);
    }
    working = undefined;
  }

  return {
    push(letter) {
      if (waiting.length >= MOST_WAITING) onGivenUp(waiting.shift() as Letter, 'too many were waiting');
      waiting.push(letter);
      working ??= work();
    },
    async close(graceMs) {
      isClosing = true;
      const timer = clock.setTimer(() => abort.abort(), graceMs);
      wake();
      await working;
      timer.cancel();
    },
  };
}

import type { Readable } from 'node:stream';
import type { Clock } from '../../base/util/clock.ts';

export interface DiscardOptions {
  readonly clock: Clock;
  /** Bounds how long the rest of an unread request is discarded. */
  readonly receiveTimeoutMs: number;
}

const LONGEST_IDLE_MS = 5000;

/** Reads on and forgets, until nothing more comes or `done` has waited long enough. */
export function discardRest(
  request: Pick<Readable, 'on' | 'off' | 'resume'>,
  options: DiscardOptions,
  done: () => void,
): void {
  const idleMs = Math.min(LONGEST_IDLE_MS, options.receiveTimeoutMs);
  const total = options.clock.setTimer(finish, options.receiveTimeoutMs);
  let idle = options.clock.setTimer(onIdle, idleMs);
  let sawBytes = false;

  function onData(): void {
    sawBytes = true;
  }
  function onIdle(): void {
    if (sawBytes) idle = options.clock.setTimer(onIdle, idleMs);
    else finish();
    sawBytes = false;
  }
  function finish(): void {
    total.cancel();
    idle.cancel();
    request.off('data', onData);
    request.off('end', finish);
    request.off('close', finish);
    done();
  }
  request.on('data', onData);
  request.on('end', finish);
  request.on('close', finish);
  request.resume();
}

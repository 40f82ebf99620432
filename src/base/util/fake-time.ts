import type { FakeClock } from './fake-clock.ts';

/** Lets a fake clock go on, a millisecond at a time, until the work is done that waits on it. */
export async function passTime<T>(clock: FakeClock, work: Promise<T>, stepMs = 1): Promise<T> {
  let isDone = false;
  const done = () => {
    isDone = true;
  };
  void work.then(done, done);
  for (;;) {
    // What came due runs on, and sets the timers that it waits for next.
    await new Promise((resolve) => setImmediate(resolve));
    if (isDone) return work;
    clock.advance(stepMs);
  }
}

import type { Logger } from '../../base/telemetry/log.ts';
import type { CancelToken } from '../../base/util/cancel.ts';
import type { RunRequest, RunResult } from '../../model/engine.ts';
import type { HostSession } from './session.ts';

export interface Overflow {
  /** Runs on a thread; on `inline` where none can be had. */
  run(inline: HostSession, request: RunRequest, cancel?: CancelToken): Promise<RunResult>;
  /** Closes the threads; the inline session is its owner's. */
  close(): Promise<void>;
}

/**
 * Lets a model that runs inline, because its usual request is tiny, meet a large one without blocking the event
 * loop. The first large request starts a thread and waits for it; up to `maxThreads` are started, a further one
 * only while all that run are busy. Where no thread can be started the run happens inline.
 */
export function createOverflow(deps: {
  readonly maxThreads: number;
  readonly openThread: () => Promise<HostSession>;
  readonly log: Logger;
}): Overflow {
  const threads: OverflowThread[] = [];

  function leastBusy(): OverflowThread {
    let best = threads[0];
    for (const thread of threads) if (thread.running < best!.running) best = thread;
    if (best !== undefined && (best.running === 0 || threads.length >= deps.maxThreads)) return best;
    const started = startThread();
    threads.push(started);
    return started;
  }

  function startThread(): OverflowThread {
    const thread: OverflowThread = { session: undefined, running: 0, opening: Promise.resolve(undefined) };
    thread.opening = deps.openThread().then(
      (session) => {
        thread.session = session;
        return session;
      },
      (failure) => {
        deps.log.warn({ err: failure }, 'no thread for large requests; they run on the main thread');
        threads.splice(threads.indexOf(thread), 1);
        return undefined;
      },
    );
    return thread;
  }

  return {
    async run(inline, request) {
      const thread = leastBusy();
      thread.running += 1;
      try {
        const session = thread.session ?? (await thread.opening);
        return await (session?.available ? session : inline).run(request);
      } finally {
        thread.running -= 1;
      }
    },
    async close() {
      await Promise.all(
        threads.map(async ({ opening }) => {
          await (await opening)?.close();
        }),
      );
    },
  };
}

interface OverflowThread {
  session: HostSession | undefined;
  running: number;
  opening: Promise<HostSession | undefined>;
}

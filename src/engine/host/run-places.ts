/**
 * Places for runs on libuv's threads, which all models of a process share with files, names and compression. Whoever
 * finds none waits for his turn.
 */
export interface RunPlaces {
  readonly count: number;
  /** Calls `start` in its turn: within this call where a place is free. */
  enter(start: () => void): void;
  leave(): void;
}

/** Threads of libuv's pool that are left to everything else. */
const OTHERS = 4;

/** Threads of libuv's pool where UV_THREADPOOL_SIZE does not say (libuv, docs/src/threadpool.rst). */
const USUAL_THREADS = 4;
const MOST_THREADS = 1024;

/** Of a pool that has few threads, half are left to others. */
export function placesIn(threads: number): number {
  return threads - Math.min(OTHERS, Math.ceil(threads / 2));
}

/** As libuv reads it, once, when its pool is first used: what is set later counts for nothing. */
export function poolThreads(env: Readonly<Record<string, string | undefined>> = process.env): number {
  const { UV_THREADPOOL_SIZE: size } = env;
  if (size === undefined) return USUAL_THREADS;
  const threads = Number.parseInt(size, 10) || 0;
  return Math.max(1, Math.min(MOST_THREADS, threads));
}

export function createRunPlaces(count: number): RunPlaces {
  const waiting = new Set<() => void>();
  let taken = 0;
  return {
    count,
    enter(start) {
      if (taken < count) {
        taken += 1;
        start();
      } else waiting.add(start);
    },
    leave() {
      for (const next of waiting) {
        waiting.delete(next);
        next();
        return;
      }
      taken -= 1;
    },
  };
}

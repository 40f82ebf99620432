/**
 * Sets up libuv's pool of threads, on which models run beside files and names: nothing can be changed any more once it
 * is used, and on Node 20 the loader of modules uses it first. So this file is none.
 */
const { access, readdirSync } = require('node:fs');
const { availableParallelism, getPriority, setPriority } = require('node:os');

/** For runs: several models' on few cores, and a run a core on many. Four threads are left to everything else. */
process.env.UV_THREADPOOL_SIZE ??= String(4 + Math.max(16, 2 * availableParallelism()));

/** As `yieldPriority` does for threads of our own: a core that runs keep busy is the event loop's when it wants it. */
const NICE_STEPS = 5;
const NICEST = 19;

if (process.platform === 'linux') {
  try {
    const before = new Set(readdirSync('/proc/self/task'));
    access('/', () => {}); // begins the pool, all threads at once
    for (const task of readdirSync('/proc/self/task')) {
      if (before.has(task)) continue;
      setPriority(Number(task), Math.min(NICEST, getPriority(Number(task)) + NICE_STEPS));
    }
  } catch {
    // Not allowed here: then all threads are equals.
  }
}

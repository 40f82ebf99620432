/**
 * Sets up libuv's pool of threads, on which models run beside files and names: nothing can be changed any more once it
 * is used, and on Node 20 the loader of modules uses it first. So this file is none.
 */
const { access, readdirSync } = require('node:fs');
const { availableParallelism, getPriority, setPriority } = require('node:os');

/** For runs: several models' on few cores, and a run a core on many. Four threads are left to everything else. */
process.env.UV_THREADPOOL_SIZE ??= String(4 + Math.max(16, 2 * availableParallelism()));

/**
 * glibc gives threads heaps of their own, which keep what was freed. Runs take turns on more threads than run at once, and
 * each heap comes to hold the memory of the largest run: measured with an encoder of 90 MB under load, 390 to 620 MB
 * with as many heaps as glibc likes, and 185 to 340 MB with one for each core. Heaps that are there stay, so it is said
 * before threads make theirs. `settings` as in src/engine/onnxruntime/native/ffi.ts: they cannot be changed later.
 */
const MOST_HEAPS = -8; // M_ARENA_MAX of malloc.h

function limitHeaps() {
  const koffi = require(`koffi/build/koffi/linux_${process.arch}/koffi.node`);
  const settings = {
    sync_stack_size: 8 * 2 ** 20,
    async_stack_size: 8 * 2 ** 20,
    async_heap_size: 128 * 1024,
    resident_async_pools: 16,
    max_async_calls: 2048,
  };
  koffi.config({ ...koffi.config(), ...settings });
  const mallopt = koffi.load('libc.so.6').func('mallopt', 'int', ['int', 'int']);
  mallopt(MOST_HEAPS, Math.max(2, availableParallelism()));
}

/** As `yieldPriority` does for threads of our own: a core that runs keep busy is the event loop's when it wants it. */
const NICE_STEPS = 5;
const NICEST = 19;

if (process.platform === 'linux') {
  try {
    if (process.env.MALLOC_ARENA_MAX === undefined) limitHeaps();
  } catch {
    // There is no such binary, or another C library.
  }
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

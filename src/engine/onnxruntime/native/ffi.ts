import { createRequire } from 'node:module';
import { isDeepStrictEqual } from 'node:util';
import { NimifyError } from '../../../base/errors/nimify-error.ts';

/** Calls functions of shared libraries; the part of koffi that is used here. */
export type Ffi = Pick<typeof import('koffi'), 'load' | 'decode' | 'proto' | 'array' | 'address' | 'config'>;

/** Other versions have not been soaked here; 3.3 crashed in long runs. */
export const FFI_VERSION = '2.16.3';

/**
 * Calls are made on stacks of koffi's own, which nothing guards: as large as those that threads get, of which only
 * pages that are touched take memory.
 */
const STACK_BYTES = 8 * 2 ** 20;
/** Arguments that are copied for a call: a path at most. */
const HEAP_BYTES = 128 * 1024;
/** Stacks that are kept for calls on other threads, at most what koffi allows; for more they are made each time. */
const KEPT_STACKS = 16;
/** Calls on other threads at once, at least as many as libuv has threads for. */
const MOST_CALLS = 2048;

export const SETTINGS = {
  sync_stack_size: STACK_BYTES,
  async_stack_size: STACK_BYTES,
  async_heap_size: HEAP_BYTES,
  resident_async_pools: KEPT_STACKS,
  max_async_calls: MOST_CALLS,
};

let loaded: Ffi | undefined;

/** @throws NimifyError UNSUPPORTED where koffi has no binary for this machine */
export function loadFfi(): Ffi {
  loaded ??= load();
  return loaded;
}

/**
 * The binary itself: the package's own entry looks for it with the modules of an installer, which take 10 ms to load.
 */
function load(): Ffi {
  const require = createRequire(import.meta.url);
  const { platform, arch } = process;
  try {
    const ffi = require(`koffi/build/koffi/${platform}_${arch}/koffi.node`) as Ffi & { version: string };
    if (ffi.version !== FFI_VERSION) throw new Error(`koffi ${ffi.version} instead of ${FFI_VERSION}`);
    const settings = ffi.config();
    // Once a library is loaded they stay; the command has made them so by then (bin/thread-pool.cjs).
    if (!isDeepStrictEqual({ ...settings, ...SETTINGS }, settings)) ffi.config({ ...settings, ...SETTINGS });
    return ffi;
  } catch (cause) {
    throw new NimifyError('UNSUPPORTED', `koffi has no binary that loads for ${platform} on ${arch}`, {
      cause,
    });
  }
}

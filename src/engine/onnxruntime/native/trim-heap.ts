import { loadFfi } from './ffi.ts';

let trim: (() => void) | undefined;

/**
 * Gives the system back what was freed and the C library keeps for later, wherever it lies (malloc_trim(3)): some 0.1 ms
 * a MiB. glibc would hold it for good once large buffers were in use. Does nothing with other C libraries, which either
 * keep little or let nobody ask for it.
 */
export function trimHeap(): void {
  trim ??= bindTrim();
  trim();
}

function bindTrim(): () => void {
  if (process.platform !== 'linux') return NOTHING;
  try {
    const bound = loadFfi().load('libc.so.6').func('malloc_trim', 'int', ['size_t']);
    return () => void bound(0);
  } catch {
    return NOTHING;
  }
}

function NOTHING(): void {}

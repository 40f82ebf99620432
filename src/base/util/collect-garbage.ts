import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | undefined;

/**
 * Collects all garbage now, which takes some milliseconds, more where much is freed. For when memory is short: V8 knows
 * how large its heap may become, and nothing of what the process may take. It leaves the memory of buffers to other
 * threads, which a second collection waits for.
 */
export function collectGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
    // Contexts that are made later are as ever.
    setFlagsFromString('--no-expose-gc');
  }
  collect();
  collect();
}

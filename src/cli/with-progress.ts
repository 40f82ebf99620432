const FIRST_AFTER_MS = 1000;
const EVERY_MS = 1000;

/**
 * Tells on a terminal that something goes on, once it has taken more than a second; says nothing to a file or
 * pipe. The line goes away when the work is done.
 */
export async function withProgress<T>(what: string, work: Promise<T>): Promise<T> {
  if (process.stderr.isTTY !== true) return work;
  const startedAtMs = performance.now();
  let isShown = false;
  const show = () => {
    isShown = true;
    const seconds = Math.floor((performance.now() - startedAtMs) / 1000);
    process.stderr.write(`\r${what} (${seconds} s)`);
  };
  let timer = setTimeout(function again() {
    show();
    timer = setTimeout(again, EVERY_MS);
  }, FIRST_AFTER_MS);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
    if (isShown) process.stderr.write('\r\u001b[K');
  }
}

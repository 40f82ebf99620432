import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const CLIENT = fileURLToPath(new URL('open-loop.mjs', import.meta.url));
/** More would tell nothing that these do not. */
const MOST_CONNECTIONS = 1024;

/**
 * A load for `measureRun`: requests at times of their own, whatever becomes of earlier ones.
 *
 * @param file where what is sent may be written
 * @param arrivals what `scheduleOf` takes, and `thresholdsMs`, `rampSeconds` and `drainMs`
 */
export function openLoopOf(file, { path, headers, body }, arrivals) {
  const lines = Object.entries({ host: '127.0.0.1', ...headers, 'content-length': body.length });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  writeFileSync(
    `${file}.request`,
    Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${head}\r\n`), body]),
  );
  return async ({ port, core }) => {
    const job = { ...arrivals, port, request: `${file}.request`, connections: MOST_CONNECTIONS };
    writeFileSync(`${file}.job`, JSON.stringify(job));
    const args = ['-c', core, process.execPath, '--expose-gc', CLIENT, `${file}.job`];
    const { stdout } = await run('taskset', args);
    // Nothing was answered: no latency either.
    return JSON.parse(stdout, (_key, value) => (value === null ? Number.NaN : value));
  };
}

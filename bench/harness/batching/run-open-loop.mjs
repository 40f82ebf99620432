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
 * The client has the core to itself that `measureRun` names; without one it runs on any.
 *
 * @param file where what is sent may be written
 * @param arrivals what `scheduleOf` takes, and `thresholdsMs`, `rampSeconds`, `drainMs` and perhaps `mostConnections`
 */
export function openLoopOf(file, request, arrivals) {
  writeRequest(`${file}.request`, request);
  return async ({ port, core }) => {
    const job = { mostConnections: MOST_CONNECTIONS, ...arrivals, port, request: `${file}.request` };
    writeFileSync(`${file}.job`, JSON.stringify(job));
    const client = [process.execPath, '--expose-gc', CLIENT, `${file}.job`];
    const [command, ...args] = core === undefined ? client : ['taskset', '-c', core, ...client];
    const { stdout } = await run(command, args);
    // Nothing was answered: no latency either.
    return JSON.parse(stdout, (_key, value) => (value === null ? Number.NaN : value));
  };
}

/** The bytes of a request, head and body. */
export function writeRequest(file, { path, headers, body }) {
  const lines = Object.entries({ host: '127.0.0.1', ...headers, 'content-length': body.length });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  writeFileSync(file, Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${head}\r\n`), body]));
}

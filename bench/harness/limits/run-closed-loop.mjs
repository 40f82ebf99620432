import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { writeRequest } from '../batching/run-open-loop.mjs';

const run = promisify(execFile);
const CLIENT = fileURLToPath(new URL('closed-loop.mjs', import.meta.url));
const RAMP_SHARE = 0.25;

/** A load for `measureRun` that keeps so many connections busy, as `runLoad` does with wrk. */
export function closedLoopOf(file, request) {
  writeRequest(`${file}.request`, request);
  return async ({ port, connections, seconds, core }) => {
    const rampSeconds = seconds * RAMP_SHARE;
    const job = {
      port,
      connections,
      rampSeconds,
      seconds: seconds - rampSeconds,
      request: `${file}.request`,
    };
    writeFileSync(`${file}.job`, JSON.stringify(job));
    const { stdout } = await run('taskset', ['-c', core, process.execPath, CLIENT, `${file}.job`]);
    return JSON.parse(stdout);
  };
}

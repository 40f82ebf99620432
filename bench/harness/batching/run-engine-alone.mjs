import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** Of the sizes that are tried; the best is told. */
const MOST_ROWS = [4, 8, 16, 32];

/**
 * The bare engine on the server's core, fed with a schedule without any server: what is left out or late there, on the
 * same arrivals and the same machine, is none of a server's doing.
 * @returns the best of the sizes: `most`, `missedShare`, `busyShare`
 */
export async function runEngineAlone(
  model,
  { schedule, rampSeconds, objectiveMs },
  { root, serverCore, cache },
) {
  const job = `${cache}/${model.name}-alone.job`;
  const told = { scheduleMs: [...schedule], rampMs: rampSeconds * 1000, objectiveMs, mostRows: MOST_ROWS };
  writeFileSync(job, JSON.stringify(told));
  const env = { ...process.env, MODEL: model.path, JOB: job };
  const script = `${root}/bench/peers/engine-alone.mjs`;
  const { stdout } = await run('taskset', ['-c', serverCore, process.execPath, script], { env });
  return JSON.parse(stdout).reduce((best, one) => (one.missedShare < best.missedShare ? one : best));
}

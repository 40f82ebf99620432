import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** bash's own stopwatch tells what CPU time the load itself took. */
export const TIMED = 'TIMEFORMAT="LOAD %U %S"; time "$@"';

/** What wrk is to send again and again, written where it can read it. */
export function writeLoadScript(file, { path, headers, body }) {
  writeFileSync(`${file}.body`, body);
  const lines = Object.entries(headers).map(([name, value]) => `wrk.headers['${name}'] = '${value}'`);
  writeFileSync(
    file,
    `local file = assert(io.open('${file}.body', 'rb'))
wrk.body = file:read('*a')
file:close()
wrk.method = 'POST'
wrk.path = '${path}'
${lines.join('\n')}

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"durationUs":%d,"p50Us":%d,"p99Us":%d,"maxUs":%d,' ..
    '"errors":{"connect":%d,"read":%d,"write":%d,"timeout":%d,"status":%d}}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
    errors.connect, errors.read, errors.write, errors.timeout, errors.status))
end
`,
  );
  return file;
}

/**
 * Keeps `connections` busy for `seconds` (whole ones: wrk takes no others) from one core.
 * @returns requests that were answered, their latency percentiles in microseconds, errors by kind (status: 400 and
 *   up), and what wrk took of its own core
 */
export async function runLoad(script, { port, connections, seconds, core }) {
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '60s'];
  const command = ['wrk', ...args, '-s', script, `http://127.0.0.1:${port}`];
  const { stdout, stderr } = await run('taskset', ['-c', core, 'bash', '-c', TIMED, 'time', ...command]);
  return { ...toLoadResult(stdout), loadShare: cpuSecondsOf(stderr) / seconds };
}

/** User and system time that `TIMED` wrote. */
export function cpuSecondsOf(stderr) {
  const times = /LOAD (\S+) (\S+)/.exec(stderr);
  if (times === null) throw new Error(`the load's time is not there:\n${stderr}`);
  return Number(times[1]) + Number(times[2]);
}

export function toLoadResult(stdout) {
  const text = /^RESULT (.*)$/m.exec(stdout)?.[1];
  if (text === undefined) throw new Error(`wrk said no result:\n${stdout}`);
  const result = JSON.parse(text);
  const failed = Object.values(result.errors).reduce((sum, count) => sum + count, 0);
  // Answers with an error status are answers to wrk.
  const answered = result.requests - result.errors.status;
  return { ...result, failed, perSecond: (answered * 1e6) / result.durationUs };
}

import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { cpuSecondsOf, TIMED } from './load.mjs';

const run = promisify(execFile);

/** Bytes that a client lets a server send ahead, as 2^n - 1: answers here are short. */
const WINDOW_BITS = '20';

/**
 * What h2load is to send again and again: over gRPC `connections` calls at once on one connection, as a channel
 * does; over HTTP/1.1 as many connections.
 *
 * @param answerBytes length of the right answer, by which wrong ones are found: a gRPC call that fails has
 *   status 200 and no message, and h2load does not read trailers
 * @returns what `runLoad` of wrk gives, and `loadShare`: what the load took of its own core
 */
export function h2loadOf(file, { path, headers, body, isGrpc }, answerBytes) {
  writeFileSync(`${file}.body`, body);
  const named = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const log = `${file}.log`;
  return async ({ port, connections, seconds, core }) => {
    const inFlight = isGrpc
      ? ['-c', '1', '-m', String(connections), '-w', WINDOW_BITS, '-W', WINDOW_BITS]
      : ['--h1', '-c', String(connections), '-m', '1'];
    const args = ['-D', String(seconds), ...inFlight, ...named, '-d', `${file}.body`, `--log-file=${log}`];
    rmSync(log, { force: true });
    const command = ['bash', '-c', TIMED, 'time', 'h2load', ...args, `http://127.0.0.1:${port}${path}`];
    const { stdout, stderr } = await run('taskset', ['-c', core, ...command]);
    const times = readFileSync(log, 'utf8');
    rmSync(log);
    return toLoadResult(stdout, stderr, times, { seconds, answerBytes: isGrpc ? answerBytes : undefined });
  };
}

export function toLoadResult(stdout, stderr, times, { seconds, answerBytes }) {
  const counts = /(\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/.exec(stdout);
  const dataBytes = Number(/\((\d+)\) data/.exec(stdout)?.[1]);
  if (counts === null) throw new Error(`h2load said no result:\n${stdout}${stderr}`);
  const [done, succeeded, failed, errored, timeout] = counts.slice(1).map(Number);
  const messages = answerBytes === undefined ? succeeded : Math.floor(dataBytes / answerBytes);
  const answered = Math.min(succeeded, messages);
  const errors = { failed, errored, timeout, wrong: succeeded - answered };
  const latencies = Float64Array.from(times.trim().split('\n'), (line) => Number(line.split('\t')[2])).sort();
  const at = (share) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))];
  return {
    ...{
      requests: done,
      durationUs: seconds * 1e6,
      p50Us: at(0.5),
      p99Us: at(0.99),
      maxUs: latencies.at(-1),
    },
    ...{ errors, failed: failed + errored + timeout + errors.wrong, perSecond: answered / seconds },
    loadShare: cpuSecondsOf(stderr) / seconds,
  };
}

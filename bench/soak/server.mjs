import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../harness/free-port.mjs';
import { ROOT } from '../harness/places.mjs';

const READY_WITHIN_MS = 90_000;
const ENDS_WITHIN_MS = 40_000;
/** A server of which one sees what it holds: proc(5). */
const PROC = '/proc';
const EVENT_LOOP = 'anon_inode:[eventpoll]';

/** Starts `nimify serve` with these models, and priorities; waits until it is ready. */
export async function startServed(models, folder) {
  const [port, grpcPort, metricsPort] = [await freePort(), await freePort(), await freePort()];
  const config = {
    server: { httpPort: port, grpcPort, metricsPort },
    log: { level: 'warn', format: 'json' },
    defaults: { batching: { priorityLevels: 3, defaultPriority: 2 } },
    models,
  };
  // JSON is YAML.
  const file = `${folder}/nimify.yaml`;
  writeFileSync(file, JSON.stringify(config));
  const program = ['--require', `${ROOT}/bin/thread-pool.cjs`, `${ROOT}/dist/cli/main.js`];
  const child = spawn(process.execPath, [...program, 'serve', '--config', file], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const stop = () => child.kill('SIGKILL');
  process.once('exit', stop);
  let log = '';
  child.stderr.on('data', (chunk) => {
    log = (log + chunk).slice(-1_000_000);
  });
  const ended = new Promise((resolve) => child.on('exit', (code, signal) => resolve(code ?? signal)));
  const isReady = () =>
    fetch(`http://127.0.0.1:${port}/v2/health/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  const until = performance.now() + READY_WITHIN_MS;
  while (!(await isReady())) {
    if (child.exitCode !== null || performance.now() > until)
      throw new Error(`the server does not start:\n${log}`);
    await sleep(50);
  }

  const read = async (path, from = port) => (await fetch(`http://127.0.0.1:${from}${path}`)).text();
  return {
    port,
    grpcPort,
    /** What the log says beyond what is usual. */
    faults: () => log.split('\n').filter((line) => /"level":"(error|fatal)"/.test(line)),
    isAlive: () => child.exitCode === null && child.signalCode === null,
    memoryMib() {
      const status = readFileSync(`${PROC}/${child.pid}/status`, 'utf8');
      return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024;
    },
    /** Open file descriptors, and how many of them are event loops: each thread with JavaScript has one. */
    handles() {
      const folder = `${PROC}/${child.pid}/fd`;
      const targets = readdirSync(folder).map((fd) => targetOf(`${folder}/${fd}`));
      return { handles: targets.length, loops: targets.filter((target) => target === EVENT_LOOP).length };
    },
    threads: () => readdirSync(`${PROC}/${child.pid}/task`).length,
    /** Value of a metric, over all its labels. */
    async metric(name) {
      const lines = (await read('/metrics', metricsPort)).split('\n');
      const values = lines.filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
      return values.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
    },
    /** Inferences that the server says it answered. */
    async successes(model) {
      const { model_stats: all } = JSON.parse(await read(`/v2/models/${model}/stats`));
      return all.reduce((sum, { inference_stats: { success } }) => sum + Number(success.count), 0);
    },
    /** The exit code, or the signal that ended it. */
    async end() {
      child.kill('SIGTERM');
      const late = sleep(ENDS_WITHIN_MS, 'still running', { ref: false }).then((says) => {
        stop();
        return says;
      });
      const outcome = await Promise.race([ended, late]);
      process.off('exit', stop);
      return outcome;
    },
  };
}

/** Undefined: it was closed meanwhile. */
function targetOf(path) {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

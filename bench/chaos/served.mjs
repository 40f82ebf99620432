import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../harness/free-port.mjs';
import { ROOT } from '../harness/places.mjs';
import { childrenOf, commandOf, signal } from './processes.mjs';

const READY_WITHIN_MS = 90_000;
const ENDS_WITHIN_MS = 15_000;
const KEPT_LOG = 2_000_000;
/** What is left of the policies where they are to be off. */
const NO_POLICIES = { breaker: 'off', retry: 'off', ejection: 'off', hedge: 'off' };

/**
 * Starts `nimify serve` as people start it, with its defaults or with all policies off; waits until it is ready.
 *
 * @param models as in nimify.yaml
 * @param folder of this server alone
 * @param cache that servers share: what they have compiled and measured
 * @param wrap gives the program that starts the command, and what goes before it, by the folder of a disk of its own
 */
export async function startServed({ models, policies, folder, cache, env = {}, wrap }) {
  const disk = `${folder}/disk`;
  mkdirSync(disk, { recursive: true });
  const [port, metricsPort] = [await freePort(), await freePort()];
  const config = {
    server: { httpPort: port, metricsPort, graceMs: 3000 },
    log: { level: 'info', format: 'json' },
    defaults: policies === 'off' ? NO_POLICIES : {},
    models,
  };
  // JSON is YAML.
  const file = `${folder}/nimify.yaml`;
  writeFileSync(file, JSON.stringify(config));
  const supervise = policies === 'off' ? ['--supervise', 'off'] : [];
  const command = [process.execPath, `${ROOT}/bin/nimify.cjs`, 'serve', '--config', file, ...supervise];
  const [program, ...args] = [...(wrap?.(disk) ?? []), ...command];
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...process.env, XDG_CACHE_HOME: cache, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', (chunk) => {
    log = (log + chunk).slice(-KEPT_LOG);
  });
  const ended = new Promise((resolve) => child.on('exit', (code, name) => resolve(code ?? name)));
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  /** Processes of this server that were ever seen, to be ended with it: some are in groups of their own. */
  const seen = new Set([child.pid]);
  const stopAll = () => {
    for (const pid of seen) {
      if (!commandOf(pid).includes('nimify')) continue;
      signal(pid, 'SIGKILL');
      signal(pid, 'SIGCONT');
    }
  };
  process.on('exit', stopAll);

  const served = {
    port,
    folder,
    disk,
    /** The process that was started: the one that watches, where there is one. */
    pid: child.pid,
    isRunning,
    /** The process that serves; undefined while there is none. */
    server() {
      const watched = childrenOf(child.pid).find((pid) => commandOf(pid).includes('serve'));
      return policies === 'off' ? child.pid : watched;
    },
    /** Processes of models, the oldest first. */
    engines() {
      const server = served.server();
      const found = server === undefined ? [] : childrenOf(server).sort((a, b) => a - b);
      for (const pid of [server, ...found]) if (pid !== undefined) seen.add(pid);
      return found;
    },
    /** The log's lines, as objects. */
    log: () => linesOf(log),
    text: () => log,
    /** Sum of a metric over all its labels; NaN where nobody answers. */
    async metric(name) {
      const text = await read(`http://127.0.0.1:${metricsPort}/metrics`);
      if (text === undefined) return Number.NaN;
      const lines = text
        .split('\n')
        .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
      return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
    },
    /** What happened, by the server's own list, oldest first. */
    async events() {
      const text = await read(`http://127.0.0.1:${port}/admin/events?limit=1000`);
      return text === undefined ? [] : (JSON.parse(text).events ?? []);
    },
    /** Serves other settings of its models: 1 where they hold now, 0 where they were refused. */
    async changeModels(change) {
      writeFileSync(file, JSON.stringify({ ...config, models: change(models) }));
      const url = `http://127.0.0.1:${port}/admin/reload`;
      return (await read(url, { method: 'POST' })) === undefined ? 0 : 1;
    },
    /** All the processes it has had end, by force where they do not by themselves. */
    async stop() {
      served.engines();
      if (isRunning()) child.kill('SIGTERM');
      await Promise.race([ended, sleep(ENDS_WITHIN_MS, undefined, { ref: false })]);
      stopAll();
      process.off('exit', stopAll);
    },
  };

  const untilMs = performance.now() + READY_WITHIN_MS;
  while ((await read(`http://127.0.0.1:${port}/v2/health/ready`)) === undefined) {
    if (!isRunning() || performance.now() > untilMs) {
      await served.stop();
      throw new Error(`the server does not start:\n${log}`);
    }
    await sleep(20);
  }
  served.engines();
  return served;
}

/** Undefined where it is not answered with 200. */
async function read(url, how = {}) {
  try {
    const response = await fetch(url, { ...how, signal: AbortSignal.timeout(10_000) });
    const text = await response.text();
    return response.ok ? text : undefined;
  } catch {
    return undefined;
  }
}

function linesOf(log) {
  return log.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line)];
    } catch {
      return [];
    }
  });
}

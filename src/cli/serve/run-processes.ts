import cluster, { type Worker } from 'node:cluster';
import type { Config } from '../../base/config/load-config.ts';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { Logger } from '../../base/telemetry/log.ts';
import { createMetricsRegistry } from '../../base/telemetry/metrics-registry.ts';
import { sumMetrics } from '../../base/telemetry/sum-metrics.ts';
import { systemClock } from '../../base/util/clock.ts';
import { restartDelayMs } from '../../engine/host/restart-delay.ts';
import { createConnectionRoom } from '../../protocol/connection-room.ts';
import { createMetricsServer } from '../../protocol/http/metrics-server.ts';
import { askMetrics } from './ask-metrics.ts';
import { environmentOf, type FromServing } from './process-link.ts';
import { waitForSignal } from './shutdown.ts';

/** Beyond the grace period, the time for processes to end by themselves. */
const ENDING_MS = 4000;

/** A process that answered for so long has started well: its end is not one of several in a row. */
const STEADY_NS = 30e9;

/**
 * Serves one address from several processes: Node's cluster takes the connections here, and hands them to each in
 * turn. The first is started alone, so that what is wrong is said once and what it measured is there for the others. One
 * that ends is replaced. Gives the exit code.
 * @throws NimifyError CONFIG_INVALID
 */
export async function runProcesses(config: Config, log: Logger): Promise<number> {
  const { processes, host, metricsPort, graceMs } = config.server;
  if (config.repository.mode === 'explicit') throw notExplicit();
  const clock = systemClock;
  const own = createMetricsRegistry();
  const restarts = own.counter('nimify_process_restarts', 'Processes that ended and were replaced.').labels();
  const serving = own.gauge('nimify_processes', 'Processes that serve the same address.').labels();
  const ready = new Set<Worker>();
  let isEnding = false;

  const metricsServer = createMetricsServer({
    metrics: {
      async render() {
        const texts = await askMetrics([...ready], clock);
        serving.set(texts.length);
        return sumMetrics(texts) + own.render();
      },
    },
    ...{ clock, log },
    connectionRoom: createConnectionRoom({ clock, log, maxConnections: undefined }),
  });
  const address = await metricsServer.listen(host, metricsPort);
  const metricsHost = address.host.includes(':') ? `[${address.host}]` : address.host;
  const metricsUrl = `http://${metricsHost}:${address.port}`;

  function start(index: number, deaths: number, isSpeaker: boolean): Promise<number | 'ready'> {
    return new Promise((resolve) => {
      const worker = cluster.fork(environmentOf({ index, processes, isSpeaker, metricsUrl }));
      let readyAtNs: number | undefined;
      worker.on('message', ({ kind }: FromServing) => {
        if (kind !== 'ready') return;
        ready.add(worker);
        readyAtNs = clock.nowNs();
        resolve('ready');
      });
      // One that ends while it is spoken to: 'exit' follows, and says all there is to know.
      worker.on('error', () => {});
      worker.on('exit', (code, signal) => {
        ready.delete(worker);
        resolve(code ?? 1);
        if (isEnding || (isSpeaker && readyAtNs === undefined)) return;
        const wasSteady = readyAtNs !== undefined && clock.nowNs() - readyAtNs >= STEADY_NS;
        const inARow = wasSteady ? 1 : deaths + 1;
        const delayMs = restartDelayMs(inARow, clock.random);
        log.error({ index, code, signal, delayMs }, 'a serving process ended; another takes its place');
        restarts.inc();
        setTimeout(() => {
          if (!isEnding) void start(index, inARow, false);
        }, delayMs);
      });
    });
  }

  /** Resolves when the last has ended; those that take too long are ended. */
  async function endAll(): Promise<void> {
    isEnding = true;
    const workers = Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
    const ends = workers.map((worker) => new Promise((resolve) => worker.on('exit', resolve)));
    for (const worker of workers) worker.process.kill('SIGTERM');
    const late = setTimeout(() => {
      for (const worker of workers) worker.process.kill('SIGKILL');
    }, graceMs + ENDING_MS);
    await Promise.all(ends);
    clearTimeout(late);
    await metricsServer.close();
  }

  let hasStarted = false;
  const signalled = waitForSignal(() => !hasStarted);
  const first = await start(0, 0, true);
  if (first !== 'ready') {
    await metricsServer.close();
    return first;
  }
  hasStarted = true;
  for (let index = 1; index < processes; index += 1) void start(index, 0, false);
  log.info(
    { processes },
    'one address is served from several processes, each with its own copy of the weights',
  );
  const signal = await signalled;
  log.info({ signal, graceMs }, 'draining all processes');
  await endAll();
  return 0;
}

function notExplicit(): NimifyError {
  return new NimifyError(
    'CONFIG_INVALID',
    'repository.mode: expected none or poll with several processes, since a request that loads a model reaches one of them only; got explicit; set `server.processes: 1`',
    { details: { where: 'repository.mode', expected: ['none', 'poll'], got: 'explicit' } },
  );
}

import { type ChildProcess, fork } from 'node:child_process';
import type { Config } from '../../../base/config/load-config.ts';
import type { Logger } from '../../../base/telemetry/log.ts';
import { createMetricsRegistry } from '../../../base/telemetry/metrics-registry.ts';
import { systemClock } from '../../../base/util/clock.ts';
import { restartDelayMs, STEADY_NS } from '../../../engine/host/restart-delay.ts';
import { createConnectionRoom } from '../../../protocol/connection-room.ts';
import { createMetricsServer } from '../../../protocol/http/metrics-server.ts';
import { waitForSignal } from '../shutdown.ts';
import { checkProcesses } from './check-processes.ts';
import { createGathering } from './gathering.ts';
import { type FromServing, toResult } from './messages.ts';
import { createPorts } from './ports.ts';
import { environmentOf } from './process-place.ts';
import { createServingProcess, type ServingProcess } from './serving-process.ts';

/** Beyond the grace period, the time for processes to end by themselves. */
const ENDING_MS = 4000;

/**
 * Serves one address from several processes: connections are accepted here, and handed to the one with the fewest. The
 * first is started alone, so that what is wrong is said once and what it measured is there for the others. One that
 * ends is replaced. Gives the exit code.
 * @throws NimifyError CONFIG_INVALID
 */
export async function runProcesses(config: Config, log: Logger): Promise<number> {
  checkProcesses(config);
  const { processes, host, metricsPort, graceMs, drainPauseMs } = config.server;
  const clock = systemClock;
  const running = new Map<ChildProcess, ServingProcess>();
  const own = createMetricsRegistry();
  const restarts = own.counter('nimify_process_restarts', 'Processes that ended and were replaced.').labels();
  const serving = own.gauge('nimify_processes', 'Processes that serve the same address.').labels();
  const connections = own.gauge('nimify_process_connections', 'Open connections by process.', ['process']);
  own.onCollect(() => {
    const all = [...running.values()];
    serving.set(all.filter(({ isReady }) => isReady).length);
    for (const { index, openConnections } of all) connections.labels(String(index)).set(openConnections);
  });
  const ports = createPorts({ clock, log });
  const gathering = createGathering({ log, ownMetrics: () => own.render() });
  let isEnding = false;

  const metricsServer = createMetricsServer({
    metrics: { render: gathering.metrics },
    ...{ clock, log },
    connectionRoom: createConnectionRoom({ clock, log, maxConnections: undefined }),
  });
  const address = await metricsServer.listen(host, metricsPort);
  const metricsHost = address.host.includes(':') ? `[${address.host}]` : address.host;
  const metricsUrl = `http://${metricsHost}:${address.port}`;

  /** Answers what the process wants of this one. */
  async function serve(asker: ServingProcess, message: FromServing): Promise<void> {
    const onFault = (err: unknown) => log.error({ err }, 'a serving process was not answered');
    if (message.kind === 'listen') {
      const { id, flag, at } = message;
      asker.send({ kind: 'done', id, result: await toResult(() => ports.open(flag, at), onFault) });
    } else if (message.kind === 'ask') {
      const { id, topic, question } = message;
      const work = () => gathering.ask(asker, topic, question as never);
      asker.send({ kind: 'done', id, result: await toResult(work, onFault) });
    } else if (message.kind === 'config') {
      asker.send({ kind: 'done', id: message.id, result: { value: config } });
    } else if (message.kind === 'open') ports.admit(message.flag, asker);
    else if (message.kind === 'shut') ports.shut(message.flag, asker);
    else asker.hear(message);
  }

  function start(index: number, deaths: number, isSpeaker: boolean): Promise<number | 'ready'> {
    return new Promise((resolve) => {
      const child = fork(process.argv[1]!, process.argv.slice(2), {
        env: { ...process.env, ...environmentOf({ isSpeaker, metricsUrl }) },
        // Keeps bytes as they are.
        serialization: 'advanced',
      });
      const started = createServingProcess(index, child, clock);
      running.set(child, started);
      let readyAtNs: number | undefined;
      child.on('message', (message: FromServing) => {
        void serve(started, message);
        if (message.kind !== 'loaded') return;
        void gathering.join(started).then(() => {
          readyAtNs = clock.nowNs();
          resolve('ready');
        });
      });
      // 'exit' follows, and says all there is to know.
      child.on('error', () => {});
      child.on('exit', (code, signal) => {
        running.delete(child);
        started.ended();
        gathering.left(started);
        ports.left(started);
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
    const children = [...running.keys()];
    const ends = children.map((child) => new Promise((resolve) => child.on('exit', resolve)));
    for (const child of children) child.kill('SIGTERM');
    const late = setTimeout(
      () => {
        for (const child of children) child.kill('SIGKILL');
      },
      drainPauseMs + graceMs + ENDING_MS,
    );
    await Promise.all(ends);
    clearTimeout(late);
  }

  let hasStarted = false;
  const signalled = waitForSignal(() => !hasStarted);
  const first = await start(0, 0, true);
  if (first === 'ready') {
    hasStarted = true;
    for (let index = 1; index < processes; index += 1) void start(index, 0, false);
    log.info(
      { processes },
      'one address is served from several processes, each with its own copy of the weights',
    );
    const signal = await signalled;
    log.info({ signal, graceMs }, 'draining all processes');
    await endAll();
  }
  await ports.close();
  await metricsServer.close();
  return first === 'ready' ? 0 : first;
}

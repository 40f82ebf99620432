import type { Layer } from '../../base/config/layer.ts';
import type { Config } from '../../base/config/load-config.ts';
import type { ModelSettings } from '../../base/config/options.ts';
import { createPinoLogger } from '../../base/telemetry/pino-log.ts';
import { withoutUnset } from '../../base/util/without-unset.ts';
import {
  createServer,
  type RepositoryOptions,
  type RunningServer,
  type ServerOptions,
} from '../../server.ts';
import { readConfig } from '../read-config.ts';
import { checkAddress } from './check-address.ts';
import { type ProcessPlace, placeOfProcess } from './processes/process-place.ts';
import { endAfter, endNow, isDoneWithin, waitForSignal } from './shutdown.ts';
import { type SupervisedPlace, supervisedPlace } from './supervise/supervised-place.ts';
import { linkToSupervisor } from './supervise/supervisor-link.ts';
import { toTlsSettings } from './tls-settings.ts';
import { watchConfig } from './watch-config.ts';

/** Beyond the grace period, the time for ports and sessions to close. */
const CLOSING_MS = 2000;

/**
 * Serves until a signal comes, and then until what runs has finished; gives the exit code. What this file imports is
 * all that a start loads: the build joins it (scripts/bundle.mjs).
 * @throws NimifyError: a setting, address or model that does not work
 */
export async function runServer(paths: readonly string[], flags: Layer): Promise<number> {
  const place = placeOfProcess();
  const supervised = supervisedPlace();
  try {
    return await serve(paths, flags, { place, supervised });
  } finally {
    // The channel to the process that started this one would hold it.
    if (place !== undefined || supervised !== undefined) process.channel?.unref();
  }
}

interface Places {
  readonly place: ProcessPlace | undefined;
  readonly supervised: SupervisedPlace | undefined;
}

async function serve(paths: readonly string[], flags: Layer, { place, supervised }: Places): Promise<number> {
  const link = place && (await import('./processes/parent-link.ts')).linkToParent();
  const supervisor = supervised && linkToSupervisor(supervised);
  const before = await supervisor?.inherit();
  const config =
    before?.config ?? (link === undefined ? await readConfig(paths, flags) : await link.config());
  checkAddress(config);

  const { level, format } = config.log;
  const log = createPinoLogger({ level, ...(format === 'auto' ? {} : { pretty: format === 'pretty' }) });
  if (before !== undefined) {
    const { code: exitCode, signal } = before.ended;
    log.error(
      { exitCode, signal, restarts: supervised?.restarts },
      'the server died; another takes its place',
    );
  } else if (place === undefined) {
    if (config.file !== undefined) log.info({ file: config.file }, 'configuration read');
    for (const warning of config.warnings) log.warn({ where: 'environment' }, warning);
  }
  if (config.server.processes > 1 && place === undefined) {
    const { runProcesses } = await import('./processes/run-processes.ts');
    return runProcesses(config, log);
  }
  const options = toServerOptions(config);
  let server: RunningServer | undefined;
  const signalled = waitForSignal(() => server === undefined);
  const shared = link && { metricsPort: false as const, listen: link.listen, peers: link.peers };
  const watched = supervisor && {
    listen: supervisor.listen,
    peers: supervisor.peers,
    before: {
      count: supervised?.restarts ?? 0,
      ...(before === undefined ? {} : { ended: before.ended }),
    },
  };
  // A terminal that is closed says it with the same signal, and means the end.
  if (place === undefined && !process.stdin.isTTY && !process.stdout.isTTY) {
    // What is wrong has been told by then.
    process.on('SIGHUP', () => void server?.reload().catch(() => {}));
  }
  const changes = watchConfig(config, {
    log,
    read: () => readConfig(paths, flags),
    onChanged(next) {
      if (next.server.supervise !== 'off') supervisor?.tellReady(next);
    },
  });
  server = await createServer({
    ...{ ...options, ...shared, ...watched, log },
    // The others would not know of it.
    ...(place === undefined
      ? {
          readAgain: async () => {
            const { config: next, apply } = await changes.read();
            return { models: toServerOptions(next).models, apply };
          },
        }
      : {}),
  });
  for (const change of before?.changes ?? []) {
    await supervisor
      ?.repeat(change)
      .catch((err: unknown) =>
        log.error({ err, topic: change.topic }, 'what was changed could not be repeated'),
      );
  }
  if (config.server.supervise !== 'off') supervisor?.tellReady(config);
  link?.tellLoaded();
  // The models answer already: what only the banner needs is loaded now.
  if (place?.isSpeaker !== false && before === undefined) {
    const { printBanner } = await import('./print-banner.ts');
    const shown = place === undefined ? server : { ...server, metricsUrl: place.metricsUrl };
    await printBanner(shown, options.tls).catch((err: unknown) =>
      log.warn({ err }, 'the first calls could not be shown'),
    );
  }

  const signal = await signalled;
  server.startDraining();
  const { graceMs } = config.server;
  const drainPauseMs = signal === 'SIGTERM' ? config.server.drainPauseMs : 0;
  log.info(
    { signal, graceMs, drainPauseMs },
    'draining: running requests finish; a second signal ends at once',
  );
  if (drainPauseMs > 0) await new Promise((resolve) => setTimeout(resolve, drainPauseMs));
  const isClosed = await isDoneWithin(server.close({ graceMs }), graceMs + CLOSING_MS);
  if (!isClosed) {
    log.warn({ graceMs }, 'requests were still running when the grace period ended');
    endNow(signal);
  }
  endAfter(CLOSING_MS, signal);
  return 0;
}

function toServerOptions(config: Config): ServerOptions {
  const { server, grpc, repository, events, log, models } = config;
  const tls = toTlsSettings(config);
  const { host, httpPort, grpcPort, httpReader, metricsPort, maxConnections, busyPoll } = server;
  const { maxBodyBytes, receiveTimeoutMs, sendTimeoutMs, maxMemoryBytes } = server;
  return {
    models: models.map(({ settings, ...model }) => ({
      ...model,
      engine: withoutUnset(settings.engine),
      defaultTimeoutMs: settings.timeoutMs,
      ...withoutUnset(choicesOf(settings)),
      policies: withoutUnset(policiesOf(settings)),
    })),
    host,
    httpPort,
    grpcPort,
    metricsPort,
    ...(maxConnections === undefined ? {} : { maxConnections }),
    processes: server.processes,
    maxMemoryBytes,
    busyPoll,
    http: { maxBodyBytes, receiveTimeoutMs, sendTimeoutMs, reader: httpReader },
    grpc: withoutUnset(grpc),
    ...(tls === undefined ? {} : { tls }),
    repository: toRepositoryOptions(repository),
    events: withoutUnset(events),
    accessLog: { share: log.accessShare, slowMs: log.slowMs },
  };
}

function choicesOf({ batching, objective, target, tune, slo, required }: ModelSettings) {
  return { batching, objective, target, tune, slo, required };
}

function policiesOf({ breaker, retry, hedge, ejection, fallback, bulkhead }: ModelSettings) {
  return { breaker, retry, hedge, ejection, fallback, bulkhead };
}

function toRepositoryOptions({ pollSecs, ...others }: Config['repository']): Partial<RepositoryOptions> {
  return { ...withoutUnset(others), pollMs: pollSecs * 1000 };
}

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
import { endAfter, endNow, isDoneWithin, waitForSignal } from './shutdown.ts';
import { toTlsSettings } from './tls-settings.ts';

/** Beyond the grace period, the time for ports and sessions to close. */
const CLOSING_MS = 2000;

/**
 * Serves until a signal comes, and then until what runs has finished; gives the exit code. What this file imports is
 * all that a start loads: the build joins it (scripts/bundle.mjs).
 * @throws NimifyError: a setting, address or model that does not work
 */
export async function runServer(paths: readonly string[], flags: Layer): Promise<number> {
  const config = await readConfig(paths, flags);
  checkAddress(config);
  const options = toServerOptions(config);
  let server: RunningServer | undefined;
  const signalled = waitForSignal(() => server === undefined);

  const { level, format } = config.log;
  const log = createPinoLogger({ level, ...(format === 'auto' ? {} : { pretty: format === 'pretty' }) });
  if (config.file !== undefined) log.info({ file: config.file }, 'configuration read');
  for (const warning of config.warnings) log.warn({ where: 'environment' }, warning);
  server = await createServer({ ...options, log });
  // The models answer already: what only the banner needs is loaded now.
  const { printBanner } = await import('./print-banner.ts');
  await printBanner(server, options.tls).catch((err: unknown) =>
    log.warn({ err }, 'the first calls could not be shown'),
  );

  const signal = await signalled;
  server.startDraining();
  const { graceMs } = config.server;
  log.info({ signal, graceMs }, 'draining: running requests finish; a second signal ends at once');
  const isClosed = await isDoneWithin(server.close({ graceMs }), graceMs + CLOSING_MS);
  if (!isClosed) {
    log.warn({ graceMs }, 'requests were still running when the grace period ended');
    endNow(signal);
  }
  endAfter(CLOSING_MS, signal);
  return 0;
}

function toServerOptions(config: Config): ServerOptions {
  const { server, grpc, repository, log, models } = config;
  const tls = toTlsSettings(config);
  const { host, httpPort, grpcPort, httpReader, metricsPort, maxConnections, busyPoll } = server;
  const { maxBodyBytes, receiveTimeoutMs, sendTimeoutMs, maxMemoryBytes } = server;
  return {
    models: models.map(({ settings, ...model }) => ({
      ...model,
      engine: withoutUnset(settings.engine),
      defaultTimeoutMs: settings.timeoutMs,
      ...withoutUnset(batchingOf(settings)),
    })),
    host,
    httpPort,
    grpcPort,
    metricsPort,
    ...(maxConnections === undefined ? {} : { maxConnections }),
    maxMemoryBytes,
    busyPoll,
    http: { maxBodyBytes, receiveTimeoutMs, sendTimeoutMs, reader: httpReader },
    grpc: withoutUnset(grpc),
    ...(tls === undefined ? {} : { tls }),
    repository: toRepositoryOptions(repository),
    accessLog: { share: log.accessShare, slowMs: log.slowMs },
  };
}

function batchingOf({ batching, objective, target, tune }: ModelSettings) {
  return { batching, objective, target, tune };
}

function toRepositoryOptions({ pollSecs, ...others }: Config['repository']): Partial<RepositoryOptions> {
  return { ...withoutUnset(others), pollMs: pollSecs * 1000 };
}

import { NimifyError, toNimifyError } from './base/errors/nimify-error.ts';
import { type AccessLogOptions, createAccessLog } from './base/telemetry/access-log.ts';
import { createRequestInstruments } from './base/telemetry/instruments.ts';
import { type Logger, SILENT } from './base/telemetry/log.ts';
import { createMetricsRegistry } from './base/telemetry/metrics-registry.ts';
import { registerProcessMetrics } from './base/telemetry/process-metrics.ts';
import { type Clock, systemClock, type Timer } from './base/util/clock.ts';
import { VERSION } from './base/util/version.ts';
import type { EngineOptions } from './model/engine.ts';
import { DEFAULT_HTTP_OPTIONS, type HttpOptions } from './protocol/http/deps.ts';
import { createMetricsServer } from './protocol/http/metrics-server.ts';
import { createHttpServer } from './protocol/http/server.ts';
import { assemble, DEFAULT_ENGINE_OPTIONS } from './registry/assemble.ts';
import type { Registry } from './registry/contract.ts';
import { createRegistry, type MutableRegistry } from './registry/registry.ts';
import { type FoundModel, findModels, type ModelSource } from './registry/repository.ts';

export interface ServerOptions {
  /** Model files, folders of them, or either with the name to serve it under. */
  readonly models: readonly ModelSource[];
  /** Address to bind. Default `127.0.0.1`: there are no credentials yet, so nothing wider by itself. */
  readonly host?: string;
  /** Default 8000; 0 picks a free port. */
  readonly httpPort?: number;
  /** Default 8002; 0 picks a free port, false opens none (metrics stay at `/v1/metrics`). */
  readonly metricsPort?: number | false;
  readonly engine?: Partial<EngineOptions>;
  readonly http?: Partial<HttpOptions>;
  /** Default: silent. */
  readonly log?: Logger;
  /** Which requests leave a line in the log. Default: none. */
  readonly accessLog?: AccessLogOptions;
  readonly clock?: Clock;
}

export interface RunningServer {
  /** Such as `http://127.0.0.1:8000`. */
  readonly url: string;
  readonly metricsUrl: string | undefined;
  readonly registry: Registry;
  /** Readiness goes false at once; what runs may finish. */
  startDraining(): void;
  /**
   * Drains for at most `graceMs` (default 25 000) in all, then closes every port and frees every model. A run that
   * takes longer is not waited for; its thread ends after it. Further calls get the first one's promise.
   */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

const DEFAULT_GRACE_MS = 25_000;

/**
 * Starts a server and loads its models. The ports answer (live, not ready) while models load; the promise
 * resolves when every model has answered its self-test.
 * @throws NimifyError: a path, port or model that does not work; nothing is left open then
 */
export async function createServer(options: ServerOptions): Promise<RunningServer> {
  const log = options.log ?? SILENT;
  const clock = options.clock ?? systemClock;
  const found = await findModels(options.models);
  for (const { path, reason } of found.skipped) log.warn({ path, reason }, 'model file passed over');

  const metrics = createMetricsRegistry();
  const processMetrics = registerProcessMetrics(metrics, VERSION);
  const registry = createRegistry();
  const httpOptions: HttpOptions = { ...DEFAULT_HTTP_OPTIONS, ...options.http };
  const http = createHttpServer({
    registry,
    clock,
    log,
    accessLog: createAccessLog({ log, clock }, options.accessLog ?? { share: 0, slowMs: 0 }),
    instruments: createRequestInstruments(metrics),
    metrics,
    options: httpOptions,
    version: VERSION,
  });
  const metricsPort = options.metricsPort ?? 8002;
  const metricsServer = metricsPort === false ? undefined : createMetricsServer({ metrics, clock, log });

  let closing: Promise<void> | undefined;

  /** Ports first, so that nothing new comes in; what that leaves of the grace period is the models'. */
  async function closeAll(graceMs: number): Promise<void> {
    const untilNs = clock.nowNs() + graceMs * 1e6;
    registry.startDraining();
    try {
      await http.close({ graceMs });
      await registry.close({ graceMs: Math.max(0, (untilNs - clock.nowNs()) / 1e6) });
    } finally {
      await metricsServer?.close();
      processMetrics.stop();
    }
  }

  function close({ graceMs = DEFAULT_GRACE_MS }: { readonly graceMs?: number } = {}): Promise<void> {
    closing ??= closeAll(graceMs);
    return closing;
  }

  try {
    for (const model of found.models) registry.expect(model.name, model.version);
    const host = options.host ?? '127.0.0.1';
    const address = await http.listen(host, options.httpPort ?? 8000);
    const metricsAddress = await metricsServer?.listen(host, Number(metricsPort));
    await loadAll(
      found.models,
      registry,
      (model) =>
        assemble(
          model,
          { clock, log },
          {
            engine: { ...DEFAULT_ENGINE_OPTIONS, ...options.engine, ...model.engine },
            defaultTimeoutMs: model.defaultTimeoutMs ?? httpOptions.defaultTimeoutMs,
          },
        ),
      ({ name, path }) => clock.setTimer(() => log.info({ model: name, path }, 'still loading'), 1000),
    );
    return {
      url: urlOf(address),
      metricsUrl: metricsAddress === undefined ? undefined : urlOf(metricsAddress),
      registry,
      startDraining() {
        registry.startDraining();
        http.startDraining();
      },
      close,
    };
  } catch (failed) {
    await close({ graceMs: 0 });
    throw failed;
  }
}

/** One after another: loading measures each model, and measurements side by side would disturb each other. */
async function loadAll(
  models: readonly FoundModel[],
  registry: MutableRegistry,
  load: (model: FoundModel) => ReturnType<typeof assemble>,
  onSlowLoad: (model: FoundModel) => Timer,
): Promise<void> {
  const failures: NimifyError[] = [];
  for (const model of models) {
    const slow = onSlowLoad(model);
    try {
      registry.add(await load(model));
    } catch (failed) {
      failures.push(naming(model.path, toNimifyError(failed)));
    } finally {
      slow.cancel();
    }
  }
  const [first] = failures;
  if (first === undefined) return;
  if (failures.length === 1) throw first;
  const list = failures.map((failure) => `- ${failure.message}`).join('\n');
  throw new NimifyError(
    first.code,
    `${failures.length} of ${models.length} models cannot be served:\n${list}`,
    {
      cause: new AggregateError(failures),
    },
  );
}

/** Readers of files do not know who asked, and among several models the error must say which. */
function naming(path: string, error: NimifyError): NimifyError {
  if (error.message.includes(path)) return error;
  const { code, message, details } = error;
  return new NimifyError(code, `${path}: ${message}`, {
    ...(details === undefined ? {} : { details }),
    cause: error,
  });
}

function urlOf(address: { readonly host: string; readonly port: number }): string {
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `http://${host}:${address.port}`;
}

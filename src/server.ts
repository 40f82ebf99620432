import { DEFAULT_POLICIES } from './base/config/policies.ts';
import { toSloObjectives } from './base/config/service-level.ts';
import { NimifyError, toNimifyError, withPlace } from './base/errors/nimify-error.ts';
import { type AccessLogOptions, createAccessLog } from './base/telemetry/access-log.ts';
import { createRequestInstruments } from './base/telemetry/instruments.ts';
import { type Logger, SILENT } from './base/telemetry/log.ts';
import { createMetricsRegistry } from './base/telemetry/metrics-registry.ts';
import { registerProcessMetrics } from './base/telemetry/process-metrics.ts';
import { type Clock, systemClock } from './base/util/clock.ts';
import { VERSION } from './base/util/version.ts';
import type { EventOptions } from './control/events/contract.ts';
import { openEvents } from './control/events/open-events.ts';
import { type ServersBefore, tellRestart } from './control/events/server-restart.ts';
import { createHealthMetrics } from './control/health/health-metrics.ts';
import { createSelfTests } from './control/health/self-tests.ts';
import { createReload } from './control/reload/reload.ts';
import { countRequests } from './control/slo/count-requests.ts';
import { createSloLedger } from './control/slo/ledger.ts';
import type { LoadToTune, LoadTuner, TunedLoad } from './control/tuning/tune-at-load.ts';
import { shareMachine } from './engine/host/this-machine.ts';
import { duplicateDescriptor } from './engine/onnxruntime/native/duplicate-descriptor.ts';
import { outputPool } from './engine/onnxruntime/native/output-pool.ts';
import { trimHeap } from './engine/onnxruntime/native/trim-heap.ts';
import type { EngineOptions } from './model/engine.ts';
import { withAcceptors } from './protocol/acceptors.ts';
import { pollBetween } from './protocol/busy-poll.ts';
import { createCluster } from './protocol/cluster.ts';
import { createConnectionRoom, roomForConnections } from './protocol/connection-room.ts';
import { type GrpcOptions, toGrpcOptions } from './protocol/grpc/deps.ts';
import { createGrpcPort } from './protocol/grpc/port.ts';
import { DEFAULT_HTTP_OPTIONS, type HttpOptions } from './protocol/http/deps.ts';
import { createMetricsServer } from './protocol/http/metrics-server.ts';
import { createHttpServer } from './protocol/http/server.ts';
import { type Listen, type ListenAddress, listen } from './protocol/listen.ts';
import { ceilingOf, settleCeiling } from './protocol/memory-ceiling.ts';
import { createMemoryRoom } from './protocol/memory-room.ts';
import type { Peers } from './protocol/peers.ts';
import type { ServerTls, ServerTlsOptions } from './protocol/server-tls.ts';
import type { TlsFiles } from './protocol/tls-files.ts';
import { assemble, DEFAULT_ENGINE_OPTIONS } from './registry/assemble.ts';
import { createBatchingMetrics } from './registry/batching-metrics.ts';
import type { Circuits } from './registry/circuits.ts';
import type { Registry, ServedModel } from './registry/contract.ts';
import { createHostMetric } from './registry/host-metric.ts';
import { createInstanceMetrics } from './registry/instance-metrics.ts';
import { takeInventory } from './registry/inventory.ts';
import type { ControlMode, ModelControl } from './registry/live/contract.ts';
import { createLoadMetrics } from './registry/live/load-metrics.ts';
import { createModelControl, type Reloaded } from './registry/live/model-control.ts';
import { type LoadFailure, tellFailure } from './registry/live/model-record.ts';
import { createBreakerMetric, createPolicyMetrics } from './registry/policy-metrics.ts';
import { createRegistry } from './registry/registry.ts';
import type { FoundModel, ModelSource } from './registry/repository.ts';

export interface ServerOptions {
  /** Model files, folders of them, or either with the name to serve it under. */
  readonly models: readonly ModelSource[];
  /** Address to bind. Default `127.0.0.1`: there are no credentials yet, so nothing wider by itself. */
  readonly host?: string;
  /** Default 8000; 0 picks a free port. */
  readonly httpPort?: number;
  /** 0 picks a free port, false opens none. Default: none. */
  readonly grpcPort?: number | false;
  /** Default 8002; 0 picks a free port, false opens none (metrics stay at `/v1/metrics`). */
  readonly metricsPort?: number | false;
  /**
   * Connections that all ports together hold open, at most. Default, and never more: what the file descriptors allow
   * that this process may open, less those that it needs for itself.
   */
  readonly maxConnections?: number;
  /**
   * How many processes like this one share the machine: each is given its part of cores and memory, where these are not
   * set. Default 1.
   */
  readonly processes?: number;
  /** The processes that serve the same address, where there are several. Default: this one is alone. */
  readonly peers?: Peers;
  /** How ports are opened. Default: by this process. */
  readonly listen?: Listen;
  /** What became of the servers before this one, where somebody watches over it. */
  readonly before?: ServersBefore;
  /**
   * Resident memory beyond which requests are refused instead of taken, in bytes. `auto`: 80 % of what the container or
   * the machine has. Default `auto`.
   */
  readonly maxMemoryBytes?: 'auto' | number;
  /**
   * May the event loop poll for the next request for a short while, where one is expected at once, instead of sleeping?
   * `auto`: where it pays. Default `auto`.
   */
  readonly busyPoll?: 'auto' | 'off';
  readonly engine?: Partial<EngineOptions>;
  readonly http?: Partial<HttpOptions>;
  /** What is left out is as in `http`: the limits of a message are those of a body. */
  readonly grpc?: Partial<GrpcOptions>;
  /** Default: silent. */
  readonly log?: Logger;
  /** Which requests leave a line in the log. Default: none. */
  readonly accessLog?: AccessLogOptions;
  /** Certificate and key of the server, which are looked at again while it runs. Default: clear text. */
  readonly tls?: TlsSettings;
  readonly clock?: Clock;
  /** Who is told of what happens to the server. Default: the log, the metrics and `/admin/events`. */
  readonly events?: EventOptions;
  readonly repository?: Partial<RepositoryOptions>;
  /** Reads anew what may be changed while the server runs. Default: nothing may. */
  readonly readAgain?: () => Promise<Changeable>;
}

/** What may be changed while a server runs. */
export interface Changeable {
  readonly models: readonly ModelSource[];
  /** Called when they are served. */
  apply(): void;
}

export interface TlsSettings extends TlsFiles {
  /** Which ports speak TLS; that of metrics never does. Default `both`. */
  readonly ports?: 'both' | 'http' | 'grpc';
}

/** How models come and go. What is named as in tritonserver means what it means there. */
export interface RepositoryOptions {
  /** Default `none`: what is there at the start. */
  readonly mode: ControlMode;
  /** Time between two looks at the files in mode `poll`, in milliseconds. Default 15 000. */
  readonly pollMs: number;
  /** Models to load at the start in mode `explicit`; `*` alone stands for all. Default none. */
  readonly load: readonly string[];
  /**
   * Is a model that cannot be loaded the end of the start? Default: it is, unless it is for a backend that nimify lacks
   * and others can be served.
   */
  readonly exitOnError: boolean;
  /**
   * Is the server ready only while every model is? Default: it is, but models for backends that nimify lacks do not
   * count. One that answers as it was, because what is there now could not be loaded, is ready.
   */
  readonly strictReadiness: boolean;
}

export interface RunningServer {
  /** Such as `http://127.0.0.1:8000`, or `https://` with TLS. */
  readonly url: string;
  readonly metricsUrl: string | undefined;
  /** Such as `127.0.0.1:8001`, as gRPC clients take it. */
  readonly grpcAddress: string | undefined;
  readonly registry: Registry;
  /** What may be told of models, and asked for, while the server runs. */
  readonly control: ModelControl;
  /**
   * Reads the configuration again and serves what it says, all at once.
   * @throws NimifyError what is wrong with it, or UNSUPPORTED where none can be read; then everything is as it was
   */
  reload(): Promise<Reloaded>;
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
  const httpOptions: HttpOptions = { ...DEFAULT_HTTP_OPTIONS, ...options.http };
  const tls = await openTls(options.tls, { clock, log, receiveTimeoutMs: httpOptions.receiveTimeoutMs });
  const metrics = createMetricsRegistry();
  const processMetrics = registerProcessMetrics(metrics, VERSION);
  const batchingMetrics = createBatchingMetrics(metrics);
  const policyMetrics = createPolicyMetrics(metrics);
  const circuits: Circuits = new Map();
  const {
    mode = 'none',
    pollMs = 15_000,
    load = [],
    exitOnError,
    strictReadiness,
  } = options.repository ?? {};
  const registry = createRegistry({
    readiness: strictReadiness === undefined ? 'but-excused' : strictReadiness ? 'all' : 'any',
    mayBeEmpty: mode !== 'none',
    isAble: () => !memoryRoom.isStuck,
    isRequired: (name) => !dispensable.has(name),
    onFailure: (served, failure) => selfTests.noteFailure(served, failure),
    clock,
  });
  const servedAs = (name: string, version?: string) =>
    registry.list().find((one) => one.name === name && (version ?? one.version) === one.version);
  const events = await openEvents(options.events ?? {}, {
    ...{ clock, log, metrics },
    isServed: (name, version) => servedAs(name, version) !== undefined,
    isOneOfMany: (options.processes ?? 1) > 1,
  });
  tellRestart(options.before, { metrics, events });
  const slo = createSloLedger({ clock, metrics, events, served: registry.list });
  const dispensable = new Set<string>();
  const watchModel = createInstanceMetrics(metrics, events);
  const selfTests = createSelfTests({ clock, log, events, registry });
  createHealthMetrics(metrics, registry);
  shareMachine(options.processes ?? 1);
  const maxMemoryBytes = options.maxMemoryBytes ?? 'auto';
  const memoryRoom = createMemoryRoom({
    clock,
    log,
    metrics,
    ceilingBytes: ceilingOf(maxMemoryBytes, options.processes),
    trim: trimHeap,
  });
  memoryRoom.onShort(outputPool.clear);
  const connectionRoom = createConnectionRoom({
    ...{ clock, log },
    maxConnections: leastOf(options.maxConnections, roomForConnections()),
  });
  const metricsPort = options.metricsPort ?? 8002;
  const openPort = options.listen ?? listen;
  const metricsServer =
    metricsPort === false
      ? undefined
      : createMetricsServer({ metrics, clock, log, connectionRoom, listen: openPort });

  let tuner: Promise<LoadTuner> | undefined;

  /** Loaded for those who want it. */
  async function tuneLoad(load: LoadToTune): Promise<TunedLoad | undefined> {
    tuner ??= import('./control/tuning/tune-at-load.ts').then(({ createLoadTuner }) =>
      createLoadTuner({ clock, log }),
    );
    return (await tuner)(load);
  }

  const find = (name: string, version?: string) => registry.find(name, version).model;

  /** Says so where it takes long. */
  async function loadOne(found: FoundModel): Promise<ServedModel> {
    const { name, path } = found;
    if (found.required === false) dispensable.add(name);
    else dispensable.delete(name);
    const slow = clock.setTimer(() => log.info({ model: name, path }, 'still loading'), 1000);
    const settings = {
      engine: { ...DEFAULT_ENGINE_OPTIONS, ...options.engine, ...found.engine },
      defaultTimeoutMs: found.defaultTimeoutMs ?? httpOptions.defaultTimeoutMs,
      batching: found.batching ?? 'auto',
      target: found.target ?? 'balanced',
      tune: found.tune ?? 'auto',
      slo: toSloObjectives(found.slo, found.objective),
      policies: { ...DEFAULT_POLICIES, ...found.policies },
      ...(found.objective === undefined ? {} : { objective: found.objective }),
    };
    try {
      const tuned =
        settings.tune === 'full' && settings.batching === 'auto'
          ? await tuneLoad({ found, ...settings })
          : undefined;
      const options = { ...settings, ...tuned, engine: { ...settings.engine, ...tuned?.engine } };
      return await assemble(
        found,
        { clock, log, batchingMetrics, policyMetrics, circuits, find, events, watchModel },
        options,
      );
    } catch (failed) {
      throw naming(path, toNimifyError(failed));
    } finally {
      slow.cancel();
    }
  }

  let sources = options.models;
  const control = createModelControl(
    {
      ...{ registry, clock, log, assemble: loadOne },
      metrics: createLoadMetrics(metrics),
      takeInventory: (how, given = sources) => takeInventory(given, how),
      keepSources: (given) => {
        sources = given;
      },
    },
    { mode, pollMs, load },
  );
  createHostMetric(metrics, registry);
  createBreakerMetric(metrics, registry);
  const instruments = countRequests(createRequestInstruments(metrics), slo);
  const shared = {
    registry,
    cluster: createCluster({ metrics, registry, control, log, events, slo }, options.peers),
    listen: withAcceptors(openPort, duplicateDescriptor),
    clock,
    log,
    accessLog: createAccessLog({ log, clock }, options.accessLog ?? { share: 0, slowMs: 0 }),
    instruments: options.busyPoll === 'off' ? instruments : pollBetween(instruments, { clock, metrics }),
    connectionRoom,
    memoryRoom,
    reload: () => reloadOnce(),
    version: VERSION,
  };
  const reloadOnce = createReload({ log, events, readAgain: options.readAgain, control });
  const http = createHttpServer({ ...shared, options: httpOptions, tls: tls.http });
  const grpcPort = options.grpcPort ?? false;
  const grpc =
    grpcPort === false
      ? undefined
      : createGrpcPort({ ...shared, options: toGrpcOptions(httpOptions, options.grpc), tls: tls.grpc });
  let closing: Promise<void> | undefined;

  /** Ports first, so that nothing new comes in; what that leaves of the grace period is the models'. */
  async function closeAll(graceMs: number): Promise<void> {
    const untilNs = clock.nowNs() + graceMs * 1e6;
    registry.startDraining();
    events.startDraining();
    selfTests.stop();
    const controlClosed = control.close({ graceMs });
    try {
      await Promise.all([http.close({ graceMs }), grpc?.close({ graceMs })]);
      await registry.close({ graceMs: Math.max(0, (untilNs - clock.nowNs()) / 1e6) });
      await controlClosed;
    } finally {
      slo.stop();
      await events.close({ graceMs: Math.max(0, (untilNs - clock.nowNs()) / 1e6) });
      tls.stop();
      memoryRoom.stop();
      await metricsServer?.close();
      processMetrics.stop();
    }
  }

  function close({ graceMs = DEFAULT_GRACE_MS }: { readonly graceMs?: number } = {}): Promise<void> {
    closing ??= closeAll(graceMs);
    return closing;
  }

  try {
    await control.prepare();
    const host = options.host ?? '127.0.0.1';
    const address = await http.listen(host, options.httpPort ?? 8000);
    const metricsAddress = await metricsServer?.listen(host, Number(metricsPort));
    const grpcAddress = await grpc?.listen(host, Number(grpcPort));
    const failures = await control.start();
    const isServed = registry.list().length > 0;
    const isFatal = ({ model, lacksBackend }: LoadFailure) =>
      exitOnError ?? ((!lacksBackend && !dispensable.has(model)) || (!isServed && mode === 'none'));
    throwTogether(failures.filter(isFatal), failures.length + registry.list().length);
    for (const failure of failures) tellFailure(failure, { log, isServed: false });
    settleCeiling(memoryRoom, maxMemoryBytes, log);
    return {
      url: urlOf(address, tls.http),
      metricsUrl: metricsAddress === undefined ? undefined : urlOf(metricsAddress, undefined),
      grpcAddress: grpcAddress === undefined ? undefined : authorityOf(grpcAddress),
      registry,
      control,
      reload: reloadOnce,
      startDraining() {
        registry.startDraining();
        events.startDraining();
        http.startDraining();
        grpc?.startDraining();
      },
      close,
    };
  } catch (failed) {
    await close({ graceMs: 0 });
    throw failed;
  }
}

interface TlsByPort {
  /** Undefined: clear text. */
  readonly http: ServerTls | undefined;
  readonly grpc: ServerTls | undefined;
  stop(): void;
}

/** What it needs is loaded for those who want it. */
async function openTls(
  settings: TlsSettings | undefined,
  deps: Omit<ServerTlsOptions, 'files'>,
): Promise<TlsByPort> {
  if (settings === undefined) return { http: undefined, grpc: undefined, stop() {} };
  const { createServerTls } = await import('./protocol/server-tls.ts');
  const { ports = 'both', ...files } = settings;
  const tls = await createServerTls({ files, ...deps });
  return {
    http: ports === 'grpc' ? undefined : tls,
    grpc: ports === 'http' ? undefined : tls,
    stop: () => tls.stop(),
  };
}

function leastOf(...limits: readonly (number | undefined)[]): number | undefined {
  const given = limits.filter((limit) => limit !== undefined);
  return given.length === 0 ? undefined : Math.min(...given);
}

/** @throws NimifyError with all that cannot be served, where anything is */
function throwTogether(failures: readonly LoadFailure[], total: number): void {
  const errors = failures.map(({ error }) => error);
  const [first] = errors;
  if (first === undefined) return;
  if (errors.length === 1) throw first;
  const list = errors.map((error) => `- ${error.message}`).join('\n');
  throw new NimifyError(first.code, `${errors.length} of ${total} models cannot be served:\n${list}`, {
    cause: new AggregateError(errors),
  });
}

/** Readers of files do not know who asked, and among several models the error must say which. */
function naming(path: string, error: NimifyError): NimifyError {
  return error.message.includes(path) ? error : withPlace(path, error);
}

function urlOf(address: ListenAddress, tls: ServerTls | undefined): string {
  return `${tls === undefined ? 'http' : 'https'}://${authorityOf(address)}`;
}

function authorityOf({ host, port }: ListenAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

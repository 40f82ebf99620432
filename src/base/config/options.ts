/**
 * Every setting of nimify, once: where it lies in nimify.yaml, what it takes, its default, the variables and the
 * flag that set it. The reading of all three, the flags of `nimify serve`, the file's JSON Schema, `nimify config`,
 * `nimify init` and docs/configuration.md come from these tables.
 *
 * NIM's own variables stand where they mean the same (docs.nvidia.com/nim, "environment variables").
 */
import { BATCHING } from './batching.ts';
import { HTTP_URL, WEBHOOKS } from './event-targets.ts';
import {
  AUTO_BYTES,
  BOOLEAN,
  BYTES,
  COUNT,
  milliseconds,
  NAMED_LIST,
  oneOf,
  PATH,
  PORT,
  SECONDS,
  SHARE,
  TEXT,
  TEXT_LIST,
} from './kind.ts';
import { OBJECTIVE } from './objective.ts';
import { option, type Values } from './option.ts';
import { POLICY_OPTIONS } from './policy-options.ts';
import { SLO_OPTIONS } from './slo-options.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;

/** What tuning and batching weigh. */
export const TARGETS = ['latency', 'throughput', 'balanced', 'memory', 'cost'] as const;
export type Target = (typeof TARGETS)[number];

export const TUNE_CHOICES = ['auto', 'off', 'full'] as const;
export type TuneChoice = (typeof TUNE_CHOICES)[number];

/** Settings of the server as a whole. */
export const SERVER_OPTIONS = {
  server: {
    host: option(TEXT, {
      default: '127.0.0.1',
      env: ['NIMIFY_HOST'],
      flag: '--host',
      doc: 'Address to listen on. One that others can reach needs `server.auth: none`, or clients with certificates (`tls.clientCaFile`).',
    }),
    auth: option(oneOf('loopback', 'none'), {
      default: 'loopback',
      env: ['NIMIFY_AUTH'],
      flag: '--no-auth',
      flagSets: {
        value: 'none',
        doc: 'let everyone who reaches the address use the models; needed to listen beyond loopback',
      },
      doc: 'Who may use the models. `loopback`: whoever is on this machine, so that nothing wider is listened on, since there are no credentials to ask for but the certificates of clients (`tls.clientCaFile`); `none`: everyone who reaches the address.',
    }),
    httpPort: option(PORT, {
      default: 8000,
      env: ['NIMIFY_HTTP_PORT', 'NIM_HTTP_API_PORT', 'NIM_SERVER_PORT'],
      flag: '--http-port',
      doc: 'Port of the inference API; 0 takes a free one.',
    }),
    grpcPort: option(PORT, {
      default: 8001,
      env: ['NIMIFY_GRPC_PORT'],
      flag: '--grpc-port',
      doc: 'Port of gRPC; 0 takes a free one.',
    }),
    metricsPort: option(PORT, {
      default: 8002,
      env: ['NIMIFY_METRICS_PORT'],
      flag: '--metrics-port',
      doc: 'Port of `/metrics`; 0 takes a free one.',
    }),
    httpReader: option(oneOf('own', 'node'), {
      default: 'own',
      env: ['NIMIFY_HTTP_READER'],
      flag: '--http-reader',
      doc: "Who reads inferences from their connections. `own`: a reader that costs a fraction of node:http's, and leaves to node:http whatever is not a plain inference; `node`: node:http reads everything. Answers are the same.",
    }),
    busyPoll: option(oneOf('auto', 'off'), {
      default: 'auto',
      env: ['NIMIFY_BUSY_POLL'],
      flag: '--busy-poll',
      doc: 'May the server poll for the next request for a short while (200 µs), where one is expected at once, instead of sleeping? A client that sends one small request after the other is answered half as often again, and a core is busy meanwhile. `auto`: where it pays, which is measured now and then; `off`: never.',
    }),
    maxBodyBytes: option(BYTES, {
      default: 64 * 1024 * 1024,
      env: ['NIMIFY_MAX_BODY_BYTES'],
      flag: '--max-body-bytes',
      doc: 'Largest body taken, as sent and after decompression. Each request may hold that much memory.',
    }),
    receiveTimeoutMs: option(milliseconds(1), {
      default: 30_000,
      env: ['NIMIFY_RECEIVE_TIMEOUT_MS'],
      flag: '--receive-timeout-ms',
      doc: 'Longest time for a request to arrive whole.',
    }),
    sendTimeoutMs: option(milliseconds(1), {
      default: 30_000,
      env: ['NIMIFY_SEND_TIMEOUT_MS'],
      flag: '--send-timeout-ms',
      doc: 'Longest time in which a client may take nothing of its answer before its connection is cut. What counts is the next MiB.',
    }),
    maxConnections: option(COUNT, {
      default: undefined,
      env: ['NIMIFY_MAX_CONNECTIONS'],
      flag: '--max-connections',
      example: '1000',
      doc: 'Connections that all ports together hold open, at most. Those beyond are turned away, and idle ones closed to make room. Default: what `ulimit -n` allows less an eighth, and at least 80 less; more than that is never held open.',
    }),
    processes: option(COUNT, {
      default: 1,
      env: ['NIMIFY_PROCESSES'],
      flag: '--processes',
      doc: 'Processes that serve the same ports, for what one event loop cannot carry; each connection goes to the one with the fewest. Each has its own copy of the weights and its part of the cores, and limits (`maxConnections`, `batching.maxWaiting`, `maxMemoryBytes` where it is a size) hold for each, so they add up. Metrics and statistics are those of all; what a request changes (models, log settings) is changed in all. One that ends is replaced. Linux only.',
    }),
    supervise: option(oneOf('auto', 'off'), {
      default: 'auto',
      env: ['NIMIFY_SUPERVISE'],
      flag: '--supervise',
      doc: 'Whether another process watches over the server. `auto`: a small one, which holds the listening sockets, and where the server dies (a crash in native code, memory that the system took away) starts another with the same configuration at once, and after growing pauses where it dies again and again; who connects meanwhile waits. Several processes watch over each other (`processes`), and on Windows nobody does. `off`: nobody does. By the flag or the variable no such process is started; by the file it is there, but ends with the server.',
    }),
    maxMemoryBytes: option(AUTO_BYTES, {
      default: 'auto',
      env: ['NIMIFY_MAX_MEMORY_BYTES'],
      flag: '--max-memory-bytes',
      doc: 'Resident memory of this process beyond which requests are refused (429, RESOURCE_EXHAUSTED) instead of taken: large bodies first, at nine tenths of it, short requests at the whole. It must be more than what the process takes with its models loaded. Engines in processes of their own count as part of it on Linux (`engine.memoryLimitBytes` bounds each). `auto`: 80 % of what the control group grants, or of what the machine has.',
    }),
    drainPauseMs: option(milliseconds(0), {
      default: 0,
      env: ['NIMIFY_DRAIN_PAUSE_MS'],
      flag: '--drain-pause-ms',
      doc: 'Time after SIGTERM in which the server says that it is not ready, ends connections with their answers and tells gRPC clients to open others, but still takes requests: for balancers, which need some seconds to leave it out. It goes before `graceMs`; a second signal ends it.',
    }),
    graceMs: option(milliseconds(0), {
      default: 25_000,
      env: ['NIMIFY_GRACE_MS'],
      flag: '--grace-ms',
      doc: 'Time for running requests to finish after SIGTERM. Keep it below what the supervisor allows (Kubernetes: `terminationGracePeriodSeconds`, 30 s).',
    }),
  },
  grpc: {
    maxReceiveMessageBytes: option(BYTES, {
      default: undefined,
      env: ['NIMIFY_GRPC_MAX_RECEIVE_MESSAGE_BYTES'],
      flag: '--grpc-max-receive-message-bytes',
      example: '64MiB',
      doc: 'Largest message taken, as sent and after decompression. Default: `server.maxBodyBytes`.',
    }),
    maxSendMessageBytes: option(BYTES, {
      default: undefined,
      env: ['NIMIFY_GRPC_MAX_SEND_MESSAGE_BYTES'],
      flag: '--grpc-max-send-message-bytes',
      example: '64MiB',
      doc: "Largest message sent, before compression; a larger answer ends with RESOURCE_EXHAUSTED. Default: no limit. Clients have limits of their own: gRPC's libraries take 4 MiB, unless told otherwise.",
    }),
    maxConcurrentStreams: option(COUNT, {
      default: 1024,
      env: ['NIMIFY_GRPC_MAX_CONCURRENT_STREAMS'],
      flag: '--grpc-max-concurrent-streams',
      doc: 'Calls that may run at once on one connection; clients keep further ones back.',
    }),
    keepaliveTimeMs: option(milliseconds(1), {
      default: 300_000,
      env: ['NIMIFY_GRPC_KEEPALIVE_TIME_MS'],
      flag: '--grpc-keepalive-time-ms',
      doc: 'A connection on which nothing comes for so long is asked whether its client is still there, also while no call is open.',
    }),
    keepaliveTimeoutMs: option(milliseconds(1), {
      default: 20_000,
      env: ['NIMIFY_GRPC_KEEPALIVE_TIMEOUT_MS'],
      flag: '--grpc-keepalive-timeout-ms',
      doc: 'Longest time for the answer to that; then the connection is cut.',
    }),
    minRecvPingIntervalMs: option(milliseconds(0), {
      default: 5000,
      env: ['NIMIFY_GRPC_MIN_RECV_PING_INTERVAL_MS'],
      flag: '--grpc-min-recv-ping-interval-ms',
      doc: 'A client that pings more often than this, and takes or sends nothing in between, is told so (`too_many_pings`) at the third time, and its connection ends. The libraries of Go and Java ping every 10 s at most.',
    }),
    keepalivePermitWithoutCalls: option(BOOLEAN, {
      default: true,
      env: ['NIMIFY_GRPC_KEEPALIVE_PERMIT_WITHOUT_CALLS'],
      flag: '--grpc-keepalive-permit-without-calls',
      doc: 'Whether clients may ping while no call is open. `false`: then once in two hours only.',
    }),
    maxConnectionIdleMs: option(milliseconds(1), {
      default: undefined,
      env: ['NIMIFY_GRPC_MAX_CONNECTION_IDLE_MS'],
      flag: '--grpc-max-connection-idle-ms',
      example: '30m',
      doc: 'A connection on which no call is open for so long is ended; its client connects again for the next. Default: never.',
    }),
    maxConnectionAgeMs: option(milliseconds(1), {
      default: undefined,
      env: ['NIMIFY_GRPC_MAX_CONNECTION_AGE_MS'],
      flag: '--grpc-max-connection-age-ms',
      example: '1h',
      doc: 'A connection takes new calls for this time, a tenth more or less by chance; then its client opens another, which lets balancers spread the load anew. Default: for as long as it lasts.',
    }),
    maxConnectionAgeGraceMs: option(milliseconds(1), {
      default: undefined,
      env: ['NIMIFY_GRPC_MAX_CONNECTION_AGE_GRACE_MS'],
      flag: '--grpc-max-connection-age-grace-ms',
      example: '5m',
      doc: 'Time for the calls of a connection that takes no new ones to end, before it is cut. Default: any.',
    }),
  },
  tls: {
    certFile: option(PATH, {
      default: undefined,
      env: ['NIMIFY_TLS_CERT_FILE'],
      flag: '--tls-cert-file',
      example: 'server.crt',
      doc: "PEM file of the server's certificate, those that lead to its authority below it. With it HTTP and gRPC are served over TLS (1.2 or newer). The files are looked at every 10 s; new connections get what is there. Default: clear text.",
    }),
    keyFile: option(PATH, {
      default: undefined,
      env: ['NIMIFY_TLS_KEY_FILE'],
      flag: '--tls-key-file',
      example: 'server.key',
      doc: 'PEM file of the private key of that certificate, without a passphrase. Needed where there is a certificate.',
    }),
    clientCaFile: option(PATH, {
      default: undefined,
      env: ['NIMIFY_TLS_CLIENT_CA_FILE'],
      flag: '--tls-client-ca-file',
      example: 'clients-ca.crt',
      doc: 'PEM file of authorities: clients are let in with a certificate of one of them, and without one are not. Such a server may listen beyond loopback without `server.auth: none`. Default: every client is let in.',
    }),
    ports: option(oneOf('both', 'http', 'grpc'), {
      default: 'both',
      env: ['NIMIFY_TLS_PORTS'],
      flag: '--tls-ports',
      doc: 'Which ports speak TLS, the other one staying in clear text. That of `/metrics` always does.',
    }),
  },
  repository: {
    mode: option(oneOf('none', 'poll', 'explicit'), {
      default: 'none',
      env: ['NIMIFY_MODEL_CONTROL_MODE'],
      flag: '--model-control-mode',
      doc: 'How models come and go. `none`: what is there at the start; `poll`: files that change are taken up, once they looked the same twice; `explicit`: what a request of the repository extension asks for. What answers goes on until its successor does, or where that fails.',
    }),
    pollSecs: option(SECONDS, {
      default: 15,
      env: ['NIMIFY_REPOSITORY_POLL_SECS'],
      flag: '--repository-poll-secs',
      doc: 'Time between two looks at the files in mode `poll`.',
    }),
    load: option(TEXT_LIST, {
      default: undefined,
      env: ['NIMIFY_LOAD_MODELS'],
      flag: '--load-model',
      example: '[simple, ensemble]',
      doc: 'Models to load at the start in mode `explicit`; may be given several times. `*` alone stands for all. Default: none.',
    }),
    exitOnError: option(BOOLEAN, {
      default: undefined,
      env: ['NIMIFY_EXIT_ON_ERROR'],
      flag: '--exit-on-error',
      example: 'false',
      doc: 'Whether a model that cannot be loaded at the start ends it. Default: it does, unless it is for a backend that nimify lacks and others can be served.',
    }),
    strictReadiness: option(BOOLEAN, {
      default: undefined,
      env: ['NIMIFY_STRICT_READINESS'],
      flag: '--strict-readiness',
      example: 'true',
      doc: 'Whether the server is ready only while every model is. Default: it is, but models for backends that nimify lacks do not count.',
    }),
  },
  events: {
    webhooks: option(WEBHOOKS, {
      default: undefined,
      env: ['NIMIFY_EVENT_WEBHOOKS'],
      flag: '--event-webhooks',
      example: '[https://hooks.example.com/nimify]',
      doc: 'Addresses that are told (POST, JSON) when an incident begins, gets worse or is resolved. In the file also objects such as `{url: ..., secretFile: hook.key}`: what is sent is then signed with the key in that file. What an address does not take is tried again, and at last written to `events.deadLetterFile`; docs/events.md says what is sent. Default: none.',
    }),
    alertmanager: option(HTTP_URL, {
      default: undefined,
      env: ['NIMIFY_ALERTMANAGER'],
      flag: '--alertmanager',
      example: 'http://127.0.0.1:9093',
      doc: 'Address of a Prometheus Alertmanager that gets incidents of the levels `degraded` and `paging` as alerts (API v2). Default: none.',
    }),
    deadLetterFile: option(PATH, {
      default: undefined,
      env: ['NIMIFY_DEAD_LETTER_FILE'],
      flag: '--dead-letter-file',
      example: 'dead-letters.jsonl',
      doc: "File that gets what no webhook took, a line of JSON each, up to 16 MiB. Default: `dead-letters.jsonl` in nimify's folder of the user's cache.",
    }),
  },
  log: {
    level: option(oneOf(...LOG_LEVELS), {
      default: 'info',
      env: [
        'NIMIFY_LOG_LEVEL',
        {
          name: 'NIM_LOG_LEVEL',
          expected: 'DEFAULT, TRACE, DEBUG, INFO, WARNING, ERROR or CRITICAL',
          words: {
            default: 'info',
            trace: 'debug',
            debug: 'debug',
            info: 'info',
            warning: 'warn',
            error: 'error',
            critical: 'error',
          },
        },
      ],
      flag: '--log-level',
      doc: 'Lowest level that is written.',
    }),
    format: option(oneOf('auto', 'pretty', 'json'), {
      default: 'auto',
      env: [
        'NIMIFY_LOG_FORMAT',
        {
          name: 'NIM_JSONL_LOGGING',
          expected: '1, 0, true or false',
          words: { 1: 'json', true: 'json', 0: 'pretty', false: 'pretty' },
        },
      ],
      flag: '--log-format',
      doc: 'Lines for people or JSON. `auto`: for people where stderr is a terminal.',
    }),
    accessShare: option(SHARE, {
      default: 0,
      env: ['NIMIFY_LOG_ACCESS_SHARE'],
      flag: '--log-access-share',
      doc: 'Share of the requests that leave an access line: 0 none, 1 all. A line costs 3-5 µs.',
    }),
    slowMs: option(milliseconds(0), {
      default: 1000,
      env: ['NIMIFY_LOG_SLOW_MS'],
      flag: '--log-slow-ms',
      doc: 'A request that takes at least this long leaves an access line whatever the share, as one that fails does; 0: neither does. At most 50 such lines a second are written, and the rest counted.',
    }),
  },
} as const;

/** Settings of one model. In nimify.yaml under `defaults` for all models, and in an entry of `models` for that one. */
export const MODEL_OPTIONS = {
  timeoutMs: option(milliseconds(1), {
    default: 30_000,
    env: ['NIMIFY_TIMEOUT_MS'],
    flag: '--timeout-ms',
    doc: 'Deadline of a request that sets none.',
  }),
  batching: option(BATCHING, {
    default: 'auto',
    env: ['NIMIFY_BATCHING'],
    flag: '--batching',
    doc: 'How requests that wait are run together. `auto`: batches and how long to wait for them are found out from what runs take and how requests come, within the deadlines; `off`: each request runs by itself. An object sets limits of its own: `maxBatchSize` (rows), `maxDelayMs`, `preferredBatchSizes`, `preserveOrder`, `maxWaiting` (requests, by default 1024), `priorityLevels` and `defaultPriority`. Only models whose batch axis is proven, or forced, are batched; with a `maxBatchSize` this holds for models of fixed batches too, whose runs are filled up.',
  }),
  objective: option(OBJECTIVE, {
    default: undefined,
    env: ['NIMIFY_OBJECTIVE'],
    flag: '--objective',
    example: "'p99 < 50ms'",
    doc: 'The latency that answers are to keep to: the deadline of requests that set none, and what batches are sized for. Requests that could not be answered in time are refused at once. Default: none, and `timeoutMs` holds.',
  }),
  target: option(oneOf(...TARGETS), {
    default: 'balanced',
    env: ['NIMIFY_TARGET'],
    flag: '--target',
    doc: 'What matters most where instances, threads and batches are chosen: answers soon (`latency`), many of them (`throughput`), both, few copies of the weights (`memory`), or few busy cores (`cost`).',
  }),
  tune: option(oneOf(...TUNE_CHOICES), {
    default: 'auto',
    env: ['NIMIFY_TUNE'],
    flag: '--tune',
    doc: 'How instances, threads and the cost of batches are found at load. `auto`: by a short measurement, whose result is kept for the next start on this machine; `off`: by rule, without measuring; `full`: by the search of `nimify tune`, sizes of batches and windows included, which takes half a minute a model the first time.',
  }),
  slo: SLO_OPTIONS,
  required: option(BOOLEAN, {
    default: true,
    env: ['NIMIFY_REQUIRED'],
    flag: '--required',
    doc: 'Whether the server is ready only while this model is. `false`: without it the server is degraded, and goes on for the others; a model that cannot be loaded does not end the start.',
  }),
  ...POLICY_OPTIONS,
  engine: {
    host: option(oneOf('auto', 'inline', 'thread', 'native', 'process'), {
      default: 'auto',
      env: ['NIMIFY_ENGINE_HOST'],
      flag: '--engine-host',
      doc: 'Where runs happen: on the main thread (`inline`), on threads with a copy of the model each (`thread`), on threads that share one (`native`: short runs on the main thread, and runs that nobody waits for are ended), or in processes of their own, where a model that crashes takes nothing along. `auto` picks `native` where it passes its self-test, and else measures and picks.',
    }),
    instances: option(COUNT, {
      default: undefined,
      env: ['NIMIFY_INSTANCES'],
      flag: '--instances',
      example: '2',
      doc: 'Sessions of the model that run side by side, each with its own copy of the weights. Default: what the cores and the memory allow.',
    }),
    intraOpThreads: option(COUNT, {
      default: undefined,
      env: ['NIMIFY_THREADS'],
      flag: '--threads',
      example: '1',
      doc: 'Threads within one run. Default: what the instances leave of the cores.',
    }),
    memoryLimitBytes: option(BYTES, {
      default: undefined,
      env: ['NIMIFY_MEMORY_LIMIT_BYTES'],
      flag: '--memory-limit-bytes',
      example: '2GiB',
      doc: "Largest resident size of a process that holds the model, the runtime's own 60-100 MB included, in load and in runs. `auto` means `process` then. Default: no limit.",
    }),
    recycleBytes: option(BYTES, {
      default: undefined,
      env: ['NIMIFY_RECYCLE_BYTES'],
      flag: '--recycle-bytes',
      example: '1GiB',
      doc: 'Resident size at which a process that holds the model is replaced: for what leaks memory. The new one is loaded first, and the old one ends when its runs have, so that no request is lost; one process is replaced after the other, each at most once a minute. It must be more than the model takes, and less than `memoryLimitBytes`. `auto` means `process` then. Linux only. Default: any is well.',
    }),
    runLimitMs: option(milliseconds(1), {
      default: undefined,
      env: ['NIMIFY_RUN_LIMIT_MS'],
      flag: '--run-limit-ms',
      example: '10s',
      doc: 'A run that takes longer is ended together with its process, which is replaced; `auto` means `process` then. Default: no limit.',
    }),
    python: option(TEXT, {
      default: undefined,
      env: ['NIMIFY_PYTHON'],
      flag: '--python',
      example: '.venv/bin/python',
      doc: "Interpreter of Python functions. Default: the active virtualenv's or Conda's, else `python3`.",
    }),
    batchAxis: option(oneOf('auto', 'force', 'none'), {
      default: 'auto',
      env: ['NIMIFY_BATCH_AXIS'],
      flag: '--batch-axis',
      doc: 'Whether dimension 0 counts rows. `auto` infers and proves it at load; `force` takes it so unproven, which gives wrong answers where it is not; `none` never batches.',
    }),
    memoryArena: option(BOOLEAN, {
      default: false,
      env: ['NIMIFY_MEMORY_ARENA'],
      flag: '--memory-arena',
      doc: 'Whether ONNX Runtime keeps the memory of a run for the next. Runs may be a little faster; what the largest one took is never given back.',
    }),
    graphOptimization: option(oneOf('all', 'extended', 'basic', 'disabled'), {
      default: 'all',
      env: ['NIMIFY_GRAPH_OPTIMIZATION'],
      flag: '--graph-optimization',
      doc: 'How much ONNX Runtime rewrites the graph at load. `disabled` loads fastest and runs slowest; for a few graphs `extended` runs faster than `all`, which `nimify tune` finds out.',
    }),
    providers: option(NAMED_LIST, {
      default: undefined,
      env: ['NIMIFY_PROVIDERS'],
      flag: '--providers',
      example: '[cuda]',
      doc: "ONNX Runtime's execution providers, the preferred first: names such as `cuda`, in the file also objects with the name and the provider's options, such as `{name: cuda, deviceId: 1}`. What a provider cannot run falls to the next and at last to the CPU. Default: `cpu`.",
    }),
  },
} as const;

/** What decides which file is read and which models are served: no part of the file's settings. */
export const START_OPTIONS = {
  config: option(TEXT, {
    default: undefined,
    env: ['NIMIFY_CONFIG'],
    flag: '--config',
    doc: 'The configuration file. Default: `nimify.yaml` in the working folder, where there is one.',
  }),
  models: option(TEXT, {
    default: undefined,
    env: ['NIMIFY_MODELS', 'NIM_MODEL_PATH'],
    doc: 'Model file or folder to serve instead of those that the file lists; paths on the command line go before both. Default: the working folder.',
  }),
  modelName: option(TEXT, {
    default: undefined,
    env: ['NIMIFY_MODEL_NAME', 'NIM_SERVED_MODEL_NAME'],
    flag: '--model-name',
    doc: "Serves under this name instead of the file's; for one model only.",
  }),
} as const;

export type ServerSettings = Values<typeof SERVER_OPTIONS>;
export type ModelSettings = Values<typeof MODEL_OPTIONS>;

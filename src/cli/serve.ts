import { Command, Option } from 'commander';
import type { LogLevel } from '../base/telemetry/pino-log.ts';
import type { EngineOptions } from '../model/engine.ts';
import type { RunningServer } from '../server.ts';
import { toMilliseconds, toPort, toPositive } from './flag-values.ts';
import { runCommand } from './run-command.ts';
import type { AddressFlags } from './serve/check-flags.ts';
import { styleFor } from './style.ts';

interface ServeFlags extends AddressFlags {
  readonly modelName?: string;
  readonly engineHost: EngineOptions['host'];
  readonly instances?: number;
  readonly threads?: number;
  readonly batchAxis: EngineOptions['batchAxis'];
  readonly maxBodyBytes?: number;
  readonly timeoutMs?: number;
  readonly graceMs: number;
  readonly logLevel: LogLevel;
}

const EXAMPLES = `
Examples:
  $ nimify serve digits.onnx
  $ nimify serve models/ --http-port 9000
  $ nimify serve small=model-v2.onnx large=model-v3.onnx
  $ nimify serve digits.onnx --host 0.0.0.0 --no-auth
`;

/** Beyond the grace period, the time for ports and sessions to close. */
const CLOSING_MS = 2000;

export function serveCommand(): Command {
  return new Command('serve')
    .description('serve models over HTTP')
    .argument(
      '[paths...]',
      'model files (.onnx, .ort) or folders of them, or name=path; default: this folder',
    )
    .option('--model-name <name>', "serve under this name instead of the file's; for one model only")
    .optionsGroup('Address:')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--http-port <port>', 'port of the inference API; 0 takes a free one', toPort, 8000)
    .option(
      '--grpc-port <port>',
      'kept for gRPC, which this version has not: nothing listens there',
      toPort,
      8001,
    )
    .option('--metrics-port <port>', 'port of /metrics; 0 takes a free one', toPort, 8002)
    .option(
      '--no-auth',
      'let everyone who reaches the address use the models; needed to bind beyond loopback',
    )
    .optionsGroup('Engine:')
    .addOption(
      new Option('--engine-host <host>', 'where models run: on the main thread, on threads, or as measured')
        .choices(['auto', 'inline', 'thread'])
        .default('auto'),
    )
    .option('--instances <count>', 'sessions a model (default: what the cores allow)', toPositive)
    .option('--threads <count>', 'threads within one run (default: what the cores allow)', toPositive)
    .addOption(
      new Option('--batch-axis <axis>', 'whether dimension 0 counts rows: auto infers and proves it')
        .choices(['auto', 'force', 'none'])
        .default('auto'),
    )
    .optionsGroup('Requests:')
    .option('--max-body-bytes <bytes>', 'largest body taken (default: 67108864, 64 MiB)', toPositive)
    .option('--timeout-ms <ms>', 'deadline of a request that sets none (default: 30000)', toPositive)
    .option('--grace-ms <ms>', 'time for running requests to finish after SIGTERM', toMilliseconds, 25_000)
    .optionsGroup('Log, on stderr:')
    .addOption(
      new Option('--log-level <level>', 'lowest level that is written')
        .choices(['debug', 'info', 'warn', 'error', 'silent'])
        .default('info'),
    )
    .addHelpText('after', EXAMPLES)
    .action((paths: readonly string[], flags: ServeFlags, command: Command) =>
      runCommand({}, () => serve(paths, flags, command.getOptionValueSource('grpcPort') === 'cli')),
    );
}

async function serve(paths: readonly string[], flags: ServeFlags, isGrpcAsked: boolean): Promise<number> {
  const [{ checkAddressFlags }, { toModelSources }, { endAfter, endNow, isDoneWithin, waitForSignal }] =
    await Promise.all([
      import('./serve/check-flags.ts'),
      import('./serve/model-argument.ts'),
      import('./serve/shutdown.ts'),
    ]);
  checkAddressFlags(flags);
  const models = toModelSources(paths, flags.modelName);
  let server: RunningServer | undefined;
  const signalled = waitForSignal(() => server === undefined);

  const [{ createPinoLogger }, { createServer }] = await Promise.all([
    import('../base/telemetry/pino-log.ts'),
    import('../server.ts'),
  ]);
  const log = createPinoLogger({ level: flags.logLevel });
  if (isGrpcAsked)
    log.warn({ port: flags.grpcPort }, 'this version has no gRPC; nothing listens on --grpc-port');
  server = await createServer({
    models,
    host: flags.host,
    httpPort: flags.httpPort,
    metricsPort: flags.metricsPort,
    engine: toEngineOptions(flags),
    http: {
      ...(flags.maxBodyBytes === undefined ? {} : { maxBodyBytes: flags.maxBodyBytes }),
      ...(flags.timeoutMs === undefined ? {} : { defaultTimeoutMs: flags.timeoutMs }),
    },
    log,
  });
  await printBanner(server);

  const signal = await signalled;
  server.startDraining();
  log.info(
    { signal, graceMs: flags.graceMs },
    'draining: running requests finish; a second signal ends at once',
  );
  const isClosed = await isDoneWithin(server.close({ graceMs: flags.graceMs }), flags.graceMs + CLOSING_MS);
  if (!isClosed) {
    log.warn({ graceMs: flags.graceMs }, 'requests were still running when the grace period ended');
    endNow(signal);
  }
  endAfter(CLOSING_MS, signal);
  return 0;
}

function toEngineOptions({ engineHost, batchAxis, instances, threads }: ServeFlags): Partial<EngineOptions> {
  return {
    host: engineHost,
    batchAxis,
    ...(instances === undefined ? {} : { instances }),
    ...(threads === undefined ? {} : { intraOpThreads: threads }),
  };
}

async function printBanner({ url, metricsUrl, registry }: RunningServer): Promise<void> {
  const [{ firstCall }, { renderBanner }, { VERSION }] = await Promise.all([
    import('./serve/first-call.ts'),
    import('./serve/banner.ts'),
    import('../base/util/version.ts'),
  ]);
  const newest = [...new Map(registry.list().map((served) => [served.name, served])).values()];
  const models = [];
  for (const served of newest) {
    models.push({ served, call: await firstCall(served, { url, registry, isNamed: newest.length > 1 }) });
  }
  process.stdout.write(
    renderBanner({ version: VERSION, url, metricsUrl, models, style: styleFor(process.stdout) }),
  );
}

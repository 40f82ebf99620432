import { Command } from 'commander';
import type { Config } from '../base/config/load-config.ts';
import type { RunningServer, ServerOptions } from '../server.ts';
import { addConfigFlags, readFlags } from './config-flags.ts';
import { runCommand } from './run-command.ts';
import { styleFor } from './style.ts';

const EXAMPLES = `
Examples:
  $ nimify serve digits.onnx
  $ nimify serve models/ --http-port 9000
  $ nimify serve sentiment.py:predict --python .venv/bin/python
  $ nimify serve small=model-v2.onnx large=model-v3.onnx
  $ nimify serve digits.onnx --host 0.0.0.0 --no-auth

Every setting can stand in nimify.yaml or in a variable too: nimify init, nimify config.
`;

/** Beyond the grace period, the time for ports and sessions to close. */
const CLOSING_MS = 2000;

export function serveCommand(): Command {
  const command = new Command('serve')
    .description('serve models over HTTP')
    .argument(
      '[paths...]',
      'model files (.onnx, .ort) or folders of them, Python functions (model.py:predict), programs that speak the engine protocol, or name=path; default: those of nimify.yaml, or this folder',
    );
  return addConfigFlags(command)
    .addHelpText('after', EXAMPLES)
    .action((paths: readonly string[]) => runCommand({}, () => serve(paths, command)));
}

async function serve(paths: readonly string[], command: Command): Promise<number> {
  const [{ readConfig }, { checkAddress }, { endAfter, endNow, isDoneWithin, waitForSignal }] =
    await Promise.all([
      import('./read-config.ts'),
      import('./serve/check-address.ts'),
      import('./serve/shutdown.ts'),
    ]);
  const config = await readConfig(paths, readFlags(command));
  checkAddress(config);
  let server: RunningServer | undefined;
  const signalled = waitForSignal(() => server === undefined);

  const [{ createPinoLogger }, { createServer }] = await Promise.all([
    import('../base/telemetry/pino-log.ts'),
    import('../server.ts'),
  ]);
  const { level, format } = config.log;
  const log = createPinoLogger({ level, ...(format === 'auto' ? {} : { pretty: format === 'pretty' }) });
  if (config.file !== undefined) log.info({ file: config.file }, 'configuration read');
  for (const warning of config.warnings) log.warn({ where: 'environment' }, warning);
  if (config.origins['server.grpcPort']?.from !== 'default') {
    log.warn({ port: config.server.grpcPort }, 'this version has no gRPC; nothing listens on --grpc-port');
  }
  server = await createServer({ ...toServerOptions(config), log });
  await printBanner(server).catch((err: unknown) => log.warn({ err }, 'the first calls could not be shown'));

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

function toServerOptions({ server, log, models }: Config): ServerOptions {
  const { host, httpPort, metricsPort, maxBodyBytes, receiveTimeoutMs, sendTimeoutMs } = server;
  return {
    models: models.map(({ settings, ...model }) => ({
      ...model,
      engine: withoutUnset(settings.engine),
      defaultTimeoutMs: settings.timeoutMs,
    })),
    host,
    httpPort,
    metricsPort,
    http: { maxBodyBytes, receiveTimeoutMs, sendTimeoutMs },
    accessLog: { share: log.accessShare, slowMs: log.slowMs },
  };
}

type WithoutUnset<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** An option that is not set is not there: what takes it knows its own default. */
function withoutUnset<T extends object>(settings: T): WithoutUnset<T> {
  return Object.fromEntries(
    Object.entries(settings).filter(([, value]) => value !== undefined),
  ) as WithoutUnset<T>;
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

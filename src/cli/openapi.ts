import { Command } from 'commander';
import { runCommand } from './run-command.ts';

interface OpenapiFlags {
  readonly serverUrl: string;
}

export function openapiCommand(): Command {
  return new Command('openapi')
    .description('print the OpenAPI document that a server of these models would give')
    .argument('<paths...>', 'model files, or folders of them')
    .option('--server-url <url>', 'address that the document names', 'http://127.0.0.1:8000')
    .action((paths: readonly string[], flags: OpenapiFlags) => runCommand({}, () => openapi(paths, flags)));
}

async function openapi(paths: readonly string[], { serverUrl }: OpenapiFlags): Promise<number> {
  const [{ buildOpenApi }, { takeInventory }, { loadFound }, { createRegistry }, { VERSION }] =
    await Promise.all([
      import('../protocol/http/docs/openapi.ts'),
      import('../registry/inventory.ts'),
      import('../registry/load.ts'),
      import('../registry/registry.ts'),
      import('../base/util/version.ts'),
    ]);
  const { models } = await takeInventory(paths);
  const registry = createRegistry();
  try {
    const broken = models.flatMap(({ unservable }) => unservable).find(({ lacksBackend }) => !lacksBackend);
    if (broken !== undefined) throw broken.error;
    for (const found of models.flatMap((model) => model.found)) {
      const engine = { host: 'inline', instances: 1, batchAxis: 'none' } as const;
      registry.add(await loadFound(found, { engine }));
    }
    const document = buildOpenApi(registry.list(), { version: VERSION, serverUrl });
    process.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
    return 0;
  } finally {
    await registry.close({ graceMs: 0 });
  }
}

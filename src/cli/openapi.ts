import { Command } from 'commander';
import type { ServedModel } from '../registry/contract.ts';
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
  const [{ buildOpenApi }, { findModels }, { loadModel }, { VERSION }] = await Promise.all([
    import('../protocol/http/docs/openapi.ts'),
    import('../registry/repository.ts'),
    import('../registry/load.ts'),
    import('../base/util/version.ts'),
  ]);
  const found = await findModels(paths);
  const served: ServedModel[] = [];
  try {
    for (const { path, name } of found.models) {
      served.push(
        await loadModel(path, { name, engine: { host: 'inline', instances: 1, batchAxis: 'none' } }),
      );
    }
    const document = buildOpenApi(served, { version: VERSION, serverUrl });
    process.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
    return 0;
  } finally {
    await Promise.all(served.map(({ model }) => model.close({ graceMs: 0 })));
  }
}

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
  const [{ buildOpenApi }, { withModels }, { VERSION }] = await Promise.all([
    import('../protocol/http/docs/openapi.ts'),
    import('./with-models.ts'),
    import('../base/util/version.ts'),
  ]);
  const document = await withModels(paths, (models) => buildOpenApi(models, { version: VERSION, serverUrl }));
  process.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
  return 0;
}

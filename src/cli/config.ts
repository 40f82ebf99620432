import { Command } from 'commander';
import type { Layer } from '../base/config/layer.ts';
import { addConfigFlags, readFlags } from './config-flags.ts';
import { runCommand } from './run-command.ts';
import { styleFor } from './style.ts';

interface ConfigFlags {
  readonly json?: boolean;
  readonly schema?: boolean;
}

export function configCommand(): Command {
  const command = new Command('config')
    .description(
      'print the settings that `nimify serve` with the same arguments would take, and their origins',
    )
    .argument('[paths...]', 'as those of `nimify serve`')
    .option('--json', 'print one JSON object')
    .option('--schema', 'print the JSON Schema of nimify.yaml instead');
  return addConfigFlags(command).action((paths: readonly string[], flags: ConfigFlags) =>
    runCommand(flags, () => printConfig(paths, readFlags(command), flags)),
  );
}

async function printConfig(
  paths: readonly string[],
  layer: Layer,
  { json, schema }: ConfigFlags,
): Promise<number> {
  if (schema) {
    const { buildConfigSchema } = await import('../base/config/json-schema.ts');
    process.stdout.write(`${JSON.stringify(buildConfigSchema(), undefined, 2)}\n`);
    return 0;
  }
  const [{ readConfig }, { renderConfig, toConfigReport }] = await Promise.all([
    import('./read-config.ts'),
    import('./config/config-report.ts'),
  ]);
  const report = toConfigReport(await readConfig(paths, layer));
  process.stdout.write(
    json ? `${JSON.stringify(report, undefined, 2)}\n` : renderConfig(report, styleFor(process.stdout)),
  );
  return 0;
}

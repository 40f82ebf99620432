import { Command } from 'commander';
import { runCommand } from './run-command.ts';

interface InitFlags {
  readonly force?: boolean;
}

export function initCommand(): Command {
  return new Command('init')
    .description('write a commented nimify.yaml for the models of a folder')
    .argument('[folder]', 'where the models are and the file is to be', '.')
    .option('--force', 'replace a nimify.yaml that is there')
    .action((folder: string, flags: InitFlags) => runCommand({}, () => init(folder, flags)));
}

async function init(folder: string, { force }: InitFlags): Promise<number> {
  const [
    { join, resolve },
    { CONFIG_FILE },
    { findModels },
    { renderConfigFile },
    { writeNewFile },
    { shellQuote },
  ] = await Promise.all([
    import('node:path'),
    import('../base/config/config-source.ts'),
    import('../registry/repository.ts'),
    import('./init/render-config-file.ts'),
    import('./init/write-new-file.ts'),
    import('./shell-quote.ts'),
  ]);
  const found = await findModels([folder]);
  const path = join(folder, CONFIG_FILE);
  await writeNewFile(path, renderConfigFile(found, resolve(folder)), { force: force === true });
  const count = found.models.length === 1 ? '1 model' : `${found.models.length} models`;
  const isHere = resolve(folder) === process.cwd();
  const serve = isHere ? 'nimify serve' : `nimify serve --config ${shellQuote(path)}`;
  process.stdout.write(`wrote ${path} with ${count}; next: ${serve}\n`);
  return 0;
}

import { Command, Option } from 'commander';
import type { DescribedServer } from './client/described-model.ts';
import { toNames } from './flag-values.ts';
import { runCommand } from './run-command.ts';

interface ClientFlags {
  readonly lang: 'ts' | 'python';
  readonly url?: string;
  readonly models?: readonly string[];
  readonly serverUrl?: string;
  readonly output?: string;
}

const EXAMPLES = `
Examples:
  $ nimify client --lang ts --url http://127.0.0.1:8000 --output src/models.ts
  $ nimify client --lang python ./model_repository --output models.py
`;

export function clientCommand(): Command {
  return new Command('client')
    .description('write a typed client, in one file, for the models of a server, or for model files')
    .argument('[paths...]', 'model files, or folders of them, or name=path, as serve takes them')
    .addOption(
      new Option('--lang <language>', 'ts: needs fetch; python: needs requests')
        .choices(['ts', 'python'])
        .makeOptionMandatory(),
    )
    .option('--url <url>', 'a server of the Open Inference Protocol, instead of files')
    .option(
      '--models <names>',
      'only these models, with commas between; needed where a server does not list them',
      toNames,
    )
    .option(
      '--server-url <url>',
      'address that the client asks by default (default: --url, else http://127.0.0.1:8000)',
    )
    .option('--output <file>', 'file to write (default: standard output)')
    .addHelpText('after', EXAMPLES)
    .action((paths: readonly string[], flags: ClientFlags) => runCommand({}, () => client(paths, flags)));
}

async function client(paths: readonly string[], flags: ClientFlags): Promise<number> {
  const server = await describeServer(paths, flags);
  const text = await render(server, flags);
  if (flags.output === undefined) process.stdout.write(text);
  else {
    const { writeGenerated } = await import('./client/write-generated.ts');
    await writeGenerated(flags.output, text);
    const count = server.models.length === 1 ? '1 model' : `${server.models.length} models`;
    process.stdout.write(`wrote ${flags.output} for ${count}\n`);
  }
  return 0;
}

async function render(server: DescribedServer, { lang }: ClientFlags): Promise<string> {
  if (lang === 'ts') return (await import('./client/render-typescript.ts')).renderTypescript(server);
  return (await import('./client/render-python.ts')).renderPython(server);
}

/** @throws NimifyError: files or a server, not both; nothing there */
async function describeServer(paths: readonly string[], flags: ClientFlags): Promise<DescribedServer> {
  const { NimifyError } = await import('../base/errors/nimify-error.ts');
  if ((flags.url === undefined) === (paths.length === 0)) {
    throw new NimifyError('INVALID_INPUT', 'name model files, or a server with --url; one of the two', {
      details: { where: '--url' },
    });
  }
  const url = flags.serverUrl ?? flags.url ?? 'http://127.0.0.1:8000';
  const wanted = flags.models ?? [];
  const { askServer, readFiles } = await import('./client/describe-models.ts');
  const models =
    flags.url === undefined ? await readFiles(paths, wanted) : await askServer(flags.url, wanted);
  return { models, url };
}

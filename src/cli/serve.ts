import { Command } from 'commander';
import { addConfigFlags, readFlags } from './config-flags.ts';
import { runCommand } from './run-command.ts';

const EXAMPLES = `
Examples:
  $ nimify serve digits.onnx
  $ nimify serve models/ --http-port 9000
  $ nimify serve sentiment.py:predict --python .venv/bin/python
  $ nimify serve small=model-v2.onnx large=model-v3.onnx
  $ nimify serve model_repository/ --model-control-mode poll
  $ nimify serve digits.onnx --host 0.0.0.0 --no-auth

Every setting can stand in nimify.yaml or in a variable too: nimify init, nimify config.
`;

export function serveCommand(): Command {
  const command = new Command('serve')
    .description('serve models over HTTP and gRPC')
    .argument(
      '[paths...]',
      'model files (.onnx, .ort) or folders of them, model repositories of Triton, Python functions (model.py:predict), programs that speak the engine protocol, or name=path; default: those of nimify.yaml, or this folder',
    );
  return addConfigFlags(command)
    .addHelpText('after', EXAMPLES)
    .action((paths: readonly string[]) =>
      runCommand({}, async () => {
        const { runServer } = await import('./serve/run-server.ts');
        return runServer(paths, readFlags(command));
      }),
    );
}

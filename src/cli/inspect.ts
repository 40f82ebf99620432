import { Command } from 'commander';
import type { Inspection, RunReport } from './inspect/inspection.ts';
import { runCommand } from './run-command.ts';
import { styleFor } from './style.ts';
import { withProgress } from './with-progress.ts';

interface InspectFlags {
  readonly run?: boolean;
  readonly json?: boolean;
}

export function inspectCommand(): Command {
  return new Command('inspect')
    .description('say what a model file holds, and what of it can be served')
    .argument('<path>', 'a .onnx or .ort file')
    .option('--run', 'load the model too: run its self-test, prove the batch axis, pick where runs happen')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExit code: 0 where the model can be served, else that of the reason (69: unsupported).',
    )
    .action((path: string, flags: InspectFlags) => runCommand(flags, () => inspect(path, flags)));
}

async function inspect(path: string, flags: InspectFlags): Promise<number> {
  const { inspectFile } = await import('./inspect/inspection.ts');
  const inspection = await inspectFile(path);
  const run = flags.run && inspection.isServable ? await loadAndReport(path) : undefined;
  if (flags.json) process.stdout.write(`${JSON.stringify(toJson(inspection, run), undefined, 2)}\n`);
  else {
    const { renderInspection } = await import('./inspect/render-inspection.ts');
    process.stdout.write(renderInspection(inspection, run, styleFor(process.stdout)));
  }
  if (inspection.isServable) return 0;
  const { ERROR_TABLE } = await import('../base/errors/table.ts');
  return ERROR_TABLE.UNSUPPORTED.exit;
}

async function loadAndReport(path: string): Promise<RunReport> {
  const { loadModel } = await import('../registry/load.ts');
  const startedAtMs = performance.now();
  const served = await withProgress('loading', loadModel(path));
  const loadMs = performance.now() - startedAtMs;
  await served.model.close({ graceMs: 0 });
  return { loadMs, notes: served.notes, batchAxis: served.model.signature.batchAxis };
}

function toJson({ file, omitted, batchAxis, isServable }: Inspection, run: RunReport | undefined) {
  return { servable: isServable, ...file, omitted, batchAxis, ...(run === undefined ? {} : { run }) };
}

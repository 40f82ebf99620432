import { Command } from 'commander';
import type { ExecSource } from '../engine/exec/engine.ts';
import type { BatchAxisVerdict } from '../model/batch-axis.ts';
import type { EngineOptions } from '../model/engine.ts';
import { PYTHON_FLAG } from './flag-values.ts';
import type { RunReport } from './inspect/inspection.ts';
import { runCommand } from './run-command.ts';
import { styleFor } from './style.ts';
import { withProgress } from './with-progress.ts';

interface InspectFlags {
  readonly run?: boolean;
  readonly json?: boolean;
  readonly python?: string;
  readonly triton?: boolean;
}

export function inspectCommand(): Command {
  return new Command('inspect')
    .description('say what a model file holds, and what of it can be served')
    .argument(
      '<path>',
      'a .onnx or .ort file, model.py:predict, or a program; with --triton a model repository',
    )
    .option('--run', 'load the model too: run its self-test, prove the batch axis, pick where runs happen')
    .option(
      '--triton',
      'the path is a model repository of Triton, or one model of it: say field by field what of each config.pbtxt is honoured, ignored or refused',
    )
    .option('--json', 'print one JSON object')
    .option(...PYTHON_FLAG)
    .addHelpText(
      'after',
      '\nExit code: 0 where the model, or every model of the repository, can be served, else that of the reason (69: unsupported).',
    )
    .action((path: string, flags: InspectFlags) => runCommand(flags, () => inspect(path, flags)));
}

async function inspect(path: string, flags: InspectFlags): Promise<number> {
  if (flags.triton) return inspectRepository(path, flags);
  const { findProgramAt } = await import('./inspect/program-inspection.ts');
  const program = await findProgramAt(path);
  return program === undefined ? inspectModel(path, flags) : inspectSource(path, program, flags);
}

async function inspectModel(path: string, flags: InspectFlags): Promise<number> {
  const { inspectFile } = await import('./inspect/inspection.ts');
  const inspection = await inspectFile(path);
  const run = flags.run && inspection.isServable ? await loadAndReport(path, inspection, flags) : undefined;
  if (flags.json) {
    const { file, omitted, batchAxis, isServable } = inspection;
    printJson({ servable: isServable, ...file, omitted, batchAxis }, run);
  } else {
    const { renderInspection } = await import('./inspect/render-inspection.ts');
    process.stdout.write(renderInspection(inspection, run, styleFor(process.stdout)));
  }
  if (inspection.isServable) return 0;
  const { ERROR_TABLE } = await import('../base/errors/table.ts');
  return ERROR_TABLE.UNSUPPORTED.exit;
}

/** A program that cannot say what it takes is refused; so whatever comes to be printed can be served. */
async function inspectSource(path: string, source: ExecSource, flags: InspectFlags): Promise<number> {
  const { inspectProgram } = await import('./inspect/program-inspection.ts');
  const inspection = await withProgress('starting', inspectProgram(source, engineOf(flags)));
  const run = flags.run ? await loadAndReport(path, inspection, flags) : undefined;
  if (flags.json) {
    const { path: absolute, format, sizeBytes, signature, metadata } = inspection.artifact;
    const { inputs, outputs } = signature;
    const facts = { servable: true, format, path: absolute, sizeBytes, inputs, outputs, metadata };
    printJson({ ...facts, batchAxis: inspection.batchAxis }, run);
  } else {
    const { renderProgram } = await import('./inspect/render-program.ts');
    process.stdout.write(renderProgram(inspection, run, styleFor(process.stdout)));
  }
  return 0;
}

/** Exit code 0 only where every model would be served. */
async function inspectRepository(path: string, flags: InspectFlags): Promise<number> {
  const [{ surveyRepository }, { completeConfig }, { modelConfigJson }] = await Promise.all([
    import('../registry/triton/survey.ts'),
    import('../registry/triton/complete-config.ts'),
    import('../base/triton/read-model-config.ts'),
  ]);
  const surveyed = await surveyRepository(path);
  if (flags.json) {
    const models = surveyed.map(({ plan, error, config, ...one }) => ({
      ...one,
      servable: error === undefined,
      ...(error === undefined ? {} : { code: error.code, reason: error.message }),
      file: plan?.source,
      fields: plan?.entries ?? [],
      ...(one.signature === undefined
        ? {}
        : {
            config: modelConfigJson(
              completeConfig({
                name: one.model,
                signature: one.signature,
                ...(config === undefined ? {} : { config }),
              }),
            ),
          }),
    }));
    printJson({ models }, undefined);
  } else {
    const { renderSurvey } = await import('./inspect/render-survey.ts');
    process.stdout.write(renderSurvey(surveyed, styleFor(process.stdout)));
  }
  const refused = surveyed.find(({ error }) => error !== undefined);
  return refused?.error?.exitCode ?? 0;
}

/** Of a model of fixed batches it is tried whether their rows are independent, which serving does only where it matters. */
async function loadAndReport(
  path: string,
  { batchAxis: { fixedRows } }: { readonly batchAxis: BatchAxisVerdict },
  flags: InspectFlags,
): Promise<RunReport> {
  const { loadModel } = await import('../registry/load.ts');
  const startedAtMs = performance.now();
  const batching = fixedRows === undefined ? 'auto' : { maxBatchSize: fixedRows };
  const served = await withProgress('loading', loadModel(path, { engine: engineOf(flags), batching }));
  const loadMs = performance.now() - startedAtMs;
  await served.model.close({ graceMs: 0 });
  return { loadMs, notes: served.notes, batchAxis: served.model.signature.batchAxis };
}

function engineOf({ python }: InspectFlags): Partial<EngineOptions> {
  return python === undefined ? {} : { python };
}

function printJson(facts: object, run: RunReport | undefined): void {
  const value = { ...facts, ...(run === undefined ? {} : { run }) };
  process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
}

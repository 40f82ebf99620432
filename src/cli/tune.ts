import { Command, InvalidArgumentError, Option } from 'commander';
import { type Kind, milliseconds } from '../base/config/kind.ts';
import { OBJECTIVE } from '../base/config/objective.ts';
import { TARGETS } from '../base/config/options.ts';
import { PYTHON_FLAG, toPositive } from './flag-values.ts';
import { runCommand } from './run-command.ts';
import type { TuneFlags } from './tune/task.ts';

/** Enough for a small model on a few cores; a second for each setting under each load. */
const DEFAULT_BUDGET_MS = 60_000;

export function tuneCommand(): Command {
  return new Command('tune')
    .description('search for the best way to serve a model on this machine, and write it into nimify.yaml')
    .argument(
      '<path>',
      'a .onnx or .ort file, model.py:predict, a program, or a folder or repository of models',
    )
    .option('--model <name>', 'the model to tune, where the path holds several')
    .option(
      '--objective <objective>',
      "latency that answers are to keep to, such as 'p99 < 50ms' (default: what the configuration says, else none)",
      toValue(OBJECTIVE),
    )
    .addOption(
      new Option(
        '--target <target>',
        'what matters most among the settings that keep to it (default: what the configuration says, else balanced)',
      ).choices(TARGETS),
    )
    .option('--output <file>', 'the file to write the choice into', 'nimify.yaml')
    .option('--dry-run', 'write nothing')
    .option(
      '--budget <time>',
      'time for the search; what it has no time for, it says',
      toValue(milliseconds(1)),
      DEFAULT_BUDGET_MS,
    )
    .option(
      '--batch-sizes <sizes>',
      'rows of a batch to try, with commas (default: 1, 2, 4, ... while they gain)',
      toSizes,
    )
    .option('--instances <count>', 'leave the instances at this number', toPositive)
    .option('--threads <count>', 'leave the threads within a run at this number', toPositive)
    .option(...PYTHON_FLAG)
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nThe machine should do nothing else meanwhile. A config.pbtxt holds as it does for serve; what is written goes\n' +
        'before it.\n' +
        'Exit code: 1 where no setting keeps to the objective; nothing is written then.',
    )
    .action((path: string, flags: TuneFlags) =>
      runCommand(flags, async () => (await import('./tune/run-tune.ts')).runTune(path, flags)),
    );
}

function toValue<V>(kind: Kind<V>): (text: string) => V {
  return (text) => {
    const value = kind.fromText(text);
    if (value === undefined) throw new InvalidArgumentError(`expected ${kind.expected}.`);
    return value;
  };
}

function toSizes(text: string): readonly number[] {
  return [...new Set(text.split(',').map((size) => toPositive(size.trim())))].sort((a, b) => a - b);
}

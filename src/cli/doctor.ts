import { Command } from 'commander';
import type { Layer } from '../base/config/layer.ts';
import { addConfigFlags, readFlags } from './config-flags.ts';
import { runCommand } from './run-command.ts';
import { styleFor } from './style.ts';

interface DoctorFlags {
  readonly json?: boolean;
}

export function doctorCommand(): Command {
  const command = new Command('doctor')
    .description('look at what a server needs on this machine, and say how to mend what is missing')
    .option('--json', 'print one JSON object');
  return addConfigFlags(command)
    .addHelpText(
      'after',
      '\nExit code: 0 unless something fails, else that of the first failure (see docs/errors.md).',
    )
    .action((flags: DoctorFlags) => runCommand(flags, () => doctor(readFlags(command), flags)));
}

async function doctor(layer: Layer, { json }: DoctorFlags): Promise<number> {
  const [{ examine }, { exitCodeOf }, { renderFindings }] = await Promise.all([
    import('./doctor/examine.ts'),
    import('./doctor/finding.ts'),
    import('./doctor/render-findings.ts'),
  ]);
  const findings = await examine(layer);
  const exitCode = exitCodeOf(findings);
  process.stdout.write(
    json
      ? `${JSON.stringify({ ok: exitCode === 0, findings }, undefined, 2)}\n`
      : renderFindings(findings, styleFor(process.stdout)),
  );
  return exitCode;
}

import { Command } from 'commander';
import { runCommand } from './run-command.ts';

export function alertsCommand(): Command {
  return new Command('alerts')
    .description(
      'print alert rules for Prometheus: error budgets that burn too fast, and what a person has to look at',
    )
    .addHelpText(
      'after',
      '\nExample:\n  $ nimify alerts > nimify-rules.yml\n\nThe rules hold for any models and objectives, since those come with the metrics.',
    )
    .action(() =>
      runCommand({}, async () => {
        const { renderAlertRules } = await import('../control/slo/alert-rules.ts');
        process.stdout.write(renderAlertRules());
        return 0;
      }),
    );
}
